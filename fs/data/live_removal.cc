// The end of an inode: claims of those who remove it, orphans that somebody still holds, reaping.
#include <utility>

#include "fs/change_hub.h"
#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/data/live_inode.h"
#include "fs/data/live_table.h"
#include "meta/base/failpoint.h"
#include "meta/base/log_limit.h"

namespace amphora::fs {

void LiveTable::ReapIfUnheld(InodeId inode) {
  if (state_->orphans.load() == 0) return;
  Shard& shard = ShardOf(inode);
  std::shared_ptr<LiveInode> live;  // dies outside the lock
  {
    std::lock_guard lock(shard.mutex);
    const auto found = shard.entries.find(inode);
    if (found == shard.entries.end()) return;
    Entry& entry = found->second;
    if (!entry.orphan || entry.holds > 0 || entry.Busy() || !entry.known_by.empty()) return;
    if (entry.live && entry.live->lease_pending()) return;
    entry.reaping = true;
    live = std::move(entry.live);
    entry.live.reset();
  }
  live.reset();
  const Status reaped = Reap(inode);
  if (!reaped.ok()) {
    // The orphan row stands; start-up reaps it.
    LogLimited(LogLevel::kError, "event=reap_failed",
               "event=reap_failed " + reaped.error().ToString());
  }
  {
    std::lock_guard lock(shard.mutex);
    shard.entries.erase(inode);
    state_->orphans.fetch_sub(1);
  }
  shard.changed.notify_all();
}

Status LiveTable::Reap(InodeId inode) {
  AMPHORA_TRY(Failpoint("fs.reap.before_commit"));
  bool blob = false;
  const auto committed = core_.Run(OriginId(), [&](Tx& tx) -> Status {
    AMPHORA_ASSIGN(const auto record, tx.FindInode(inode, Lock::kExclusive));
    if (record) {
      // A name was given back meanwhile: then there is nothing to reap.
      if (record->links > 0) return Ok();
      blob = record->content == ContentKind::kBlob || record->content == ContentKind::kExtents;
      AMPHORA_TRY(tx.EraseInode(inode, *record));
      // It may stand although the content is inline by now.
      AMPHORA_TRY(tx.kv().EraseOwned(Table::kRows, OpenForWriteKey(inode)));
    }
    return tx.kv().EraseOwned(Table::kRows, OrphanKey(inode));
  });
  if (!committed.ok()) return committed.error();
  if (blob && core_.collector) core_.collector->Kick();
  return Ok();
}

LiveTable::Claim LiveTable::TryClaim(InodeId inode) {
  // It may only be that nobody looked yet whether a closed passthrough is over.
  if (const auto live = Peek(inode); live && live->lease_pending()) live->TryEndPassthroughNow();
  Shard& shard = ShardOf(inode);
  std::lock_guard lock(shard.mutex);
  Entry& entry = shard.entries[inode];
  if (entry.holds > 0 || entry.Busy() || entry.orphan) return {};
  if (entry.live && entry.live->lease_pending()) return {};
  entry.claimed = true;
  return {this, inode};
}

LiveTable::Claim LiveTable::ClaimNew(InodeId fresh) {
  Shard& shard = ShardOf(fresh);
  std::lock_guard lock(shard.mutex);
  shard.entries[fresh].claimed = true;
  return {this, fresh};
}

void LiveTable::ReleaseClaim(InodeId inode) {
  Shard& shard = ShardOf(inode);
  std::shared_ptr<LiveInode> lingering;
  {
    std::lock_guard lock(shard.mutex);
    lingering = shard.entries[inode].live;
  }
  // Still claimed: nobody can take up again what lingers of an inode that has just been removed.
  bool removed = false;
  if (lingering) {
    const auto row = ReadInode(core_.store->Newest(), inode);
    removed = row.ok() && !*row;
    if (removed) lingering->NoteRemoved();
  }
  {
    std::lock_guard lock(shard.mutex);
    Entry& entry = shard.entries[inode];
    entry.claimed = false;
    if (removed) entry.live.reset();
    if (entry.Idle()) shard.entries.erase(inode);
  }
  shard.changed.notify_all();
  // Who removed the last name while the claim was out left an orphan to nobody.
  ReapIfUnheld(inode);
}

LiveTable::Claim::Claim(Claim&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)), inode_(other.inode_) {}

LiveTable::Claim& LiveTable::Claim::operator=(Claim&& other) noexcept {
  if (this != &other) {
    if (table_ != nullptr) table_->ReleaseClaim(inode_);
    table_ = std::exchange(other.table_, nullptr);
    inode_ = other.inode_;
  }
  return *this;
}

LiveTable::Claim::~Claim() {
  if (table_ != nullptr) table_->ReleaseClaim(inode_);
}

void LiveTable::MarkOrphan(Entry& entry) {
  if (!entry.orphan) state_->orphans.fetch_add(1);
  entry.orphan = true;
  if (entry.live) entry.live->set_orphan(true);
}

void LiveTable::Orphaned(InodeId inode, OriginId origin) {
  Shard& shard = ShardOf(inode);
  {
    std::lock_guard lock(shard.mutex);
    Entry& entry = shard.entries[inode];
    MarkOrphan(entry);
    if (origin.valid() && core_.changes->HasOrigin(origin)) entry.known_by.insert(origin);
  }
  ReapIfUnheld(inode);
}

void LiveTable::Adopted(InodeId inode, std::uint64_t size, std::uint64_t credit) {
  Shard& shard = ShardOf(inode);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(inode);
  if (found == shard.entries.end()) return;
  Entry& entry = found->second;
  if (entry.orphan) state_->orphans.fetch_sub(1);
  entry.orphan = false;
  entry.known_by.clear();
  if (entry.live) entry.live->Adopt(size, credit);
  if (entry.Idle()) shard.entries.erase(found);
}

void LiveTable::Forget(OriginId origin, InodeId inode) {
  if (state_->orphans.load() == 0) return;
  {
    Shard& shard = ShardOf(inode);
    std::lock_guard lock(shard.mutex);
    const auto found = shard.entries.find(inode);
    if (found == shard.entries.end() || found->second.known_by.erase(origin) == 0) return;
  }
  ReapIfUnheld(inode);
}

void LiveTable::ForgetAll(OriginId origin) {
  std::vector<InodeId> freed;
  for (Shard& shard : state_->shards) {
    std::lock_guard lock(shard.mutex);
    for (auto& [inode, entry] : shard.entries) {
      if (entry.known_by.erase(origin) > 0) freed.push_back(inode);
    }
  }
  for (const InodeId inode : freed) ReapIfUnheld(inode);
}

}  // namespace amphora::fs
