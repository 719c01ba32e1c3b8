// What the collector's thread does for live inodes, and the clean stop.
#include "fs/core.h"
#include "fs/data/blob_store.h"
#include "fs/data/live_inode.h"
#include "fs/data/live_table.h"

namespace amphora::fs {

Status LiveTable::SettleAll(std::int64_t older_than_ns) {
  const std::int64_t now = MonotonicNow();
  Status first = Ok();
  for (const auto& live : PeekAll()) {
    if (older_than_ns > 0) (void)live->View();  // notices what a passthrough handle wrote
    if (!live->dirty() || now - live->dirty_since_ns() < older_than_ns) continue;
    const Status settled = live->Settle(SettleFor::kBackground);
    if (!settled.ok() && first.ok()) first = settled;
  }
  return first;
}

void LiveTable::TryFinish(InodeId inode) {
  std::shared_ptr<LiveInode> held;
  {
    Shard& shard = ShardOf(inode);
    std::lock_guard lock(shard.mutex);
    const auto found = shard.entries.find(inode);
    if (found == shard.entries.end()) return;
    Entry& entry = found->second;
    if (!entry.live || entry.holds > 0 || entry.Busy()) return;
    ++entry.holds;
    held = Wrap(entry.live);
  }
  const Status finished = held->orphan() ? Ok() : held->Finish();
  if (held->orphan()) (void)held->TryEndPassthrough();
  if (!finished.ok()) held->ReportOnce("finish_failed", finished.error());
}

// What was closed unsynced is synced at once where it is much: one syncfs costs less than many
// fdatasyncs.
Status LiveTable::SyncMany(const std::vector<std::shared_ptr<LiveInode>>& lingering) {
  constexpr std::size_t kMany = 32;
  struct Covered {
    std::shared_ptr<LiveInode> live;
    BlobId blob;
    std::uint64_t writes = 0;
  };
  std::vector<Covered> all;
  for (const auto& live : lingering) {
    // The blob first: should another take its place in between, what is noted of it counts for
    // nothing.
    const BlobId blob = live->blob();
    const std::uint64_t writes = live->UnsyncedWrites();
    if (writes > 0 && !core_.blobs->IsPoisoned(blob)) all.push_back({live, blob, writes});
  }
  if (all.size() < kMany) return Ok();
  AMPHORA_TRY(core_.store->WaitDurable(core_.store->LastTicket()));
  AMPHORA_TRY(core_.blobs->SyncAll());
  for (const Covered& one : all) one.live->NoteSynced(one.blob, one.writes);
  return Ok();
}

Status LiveTable::Maintain() {
  std::vector<std::shared_ptr<LiveInode>> lingering;
  for (Shard& shard : state_->shards) {
    std::lock_guard lock(shard.mutex);
    for (const auto& [inode, entry] : shard.entries) {
      if (entry.holds == 0 && !entry.Busy() && entry.live) lingering.push_back(entry.live);
    }
  }
  // If it fails, they are synced one by one: then it shows which blob is lost.
  (void)SyncMany(lingering);
  for (const auto& live : lingering) TryFinish(live->id());
  return Ok();
}

Status LiveTable::Stop() {
  AMPHORA_TRY(SettleAll(0));
  AMPHORA_TRY(Maintain());
  AMPHORA_TRY(core_.blobs->Drain());
  for (const auto& live : PeekAll()) {
    // A handle or mapping is left: the next start must look at what it wrote.
    if (live->unfinished() || live->dirty()) return Ok();
  }
  return core_.blob_ids->MarkSettled();
}

}  // namespace amphora::fs
