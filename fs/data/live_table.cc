// Which inodes are live, who holds them, and their end: last release, removal, reaping.
#include "fs/data/live_table.h"

#include <algorithm>
#include <optional>

#include "fs/change_hub.h"
#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/data/live_inode.h"
#include "meta/base/failpoint.h"
#include "meta/base/log.h"

namespace amphora::fs {

LiveTable::LiveTable(Core& core) : core_(core), state_(std::make_unique<State>()) {}
LiveTable::~LiveTable() = default;

LiveTable::Shard& LiveTable::ShardOf(InodeId inode) const {
  return state_->shards[std::hash<InodeId>()(inode) % State::kShards];
}

BlobPins& LiveTable::pins() { return state_->pins; }

void LiveTable::CountHandles(int change) {
  state_->handles.fetch_add(static_cast<std::uint64_t>(static_cast<std::int64_t>(change)),
                            std::memory_order_relaxed);
}

std::uint64_t LiveTable::handle_count() const { return state_->handles.load(); }

std::uint64_t LiveTable::live_count() const {
  std::uint64_t count = 0;
  for (const Shard& shard : state_->shards) {
    std::lock_guard lock(shard.mutex);
    for (const auto& [inode, entry] : shard.entries) count += entry.live ? 1 : 0;
  }
  return count;
}

// One hold, given back when the answer and all its copies are gone.
std::shared_ptr<LiveInode> LiveTable::Wrap(std::shared_ptr<LiveInode> live) {
  LiveInode* const raw = live.get();
  return {raw, [this, live = std::move(live)](LiveInode*) { Drop(live); }};
}

Result<std::shared_ptr<LiveInode>> LiveTable::Acquire(InodeId inode,
                                                      std::optional<InodeRecord>* row) {
  if (row != nullptr) row->reset();
  Shard& shard = ShardOf(inode);
  {
    std::unique_lock lock(shard.mutex);
    for (;;) {
      Entry& entry = shard.entries[inode];
      if (entry.Busy()) {
        shard.changed.wait(lock);
        continue;
      }
      ++entry.holds;
      if (entry.live) return Wrap(entry.live);
      entry.loading = true;
      break;
    }
  }
  auto record = ReadInode(core_.store->Newest(), inode);
  Status fit = Ok();
  if (!record.ok()) {
    fit = record.error();
  } else if (!*record) {
    fit = Error(ErrorCode::kNotFound, "inode");
  } else if ((*record)->kind == FileKind::kDirectory) {
    fit = Error(ErrorCode::kIsDirectory, "inode");
  } else if ((*record)->kind != FileKind::kRegular) {
    fit = Error(ErrorCode::kInvalidArgument, "not a regular file");
  }
  std::shared_ptr<LiveInode> live;
  if (fit.ok()) live = std::make_shared<LiveInode>(core_, *this, inode, **record);
  {
    std::lock_guard lock(shard.mutex);
    Entry& entry = shard.entries[inode];
    entry.loading = false;
    if (live) {
      if ((*record)->links == 0) MarkOrphan(entry);
      live->set_orphan(entry.orphan);
      entry.live = live;
    } else {
      --entry.holds;
      if (entry.Idle()) shard.entries.erase(inode);
    }
  }
  shard.changed.notify_all();
  if (!fit.ok()) {
    ReapIfUnheld(inode);
    return fit.error();
  }
  if (row != nullptr) *row = std::move(*record);
  return Wrap(std::move(live));
}

std::shared_ptr<LiveInode> LiveTable::AcquireNew(InodeId inode, const InodeRecord& record) {
  auto live = std::make_shared<LiveInode>(core_, *this, inode, record);
  Shard& shard = ShardOf(inode);
  std::unique_lock lock(shard.mutex);
  for (;;) {
    Entry& entry = shard.entries[inode];
    // Somebody may have found the name since the commit.
    if (entry.Busy()) {
      shard.changed.wait(lock);
      continue;
    }
    ++entry.holds;
    if (!entry.live) entry.live = std::move(live);
    if (record.links == 0) MarkOrphan(entry);
    return Wrap(entry.live);
  }
}

std::shared_ptr<LiveInode> LiveTable::Peek(InodeId inode) const {
  const Shard& shard = ShardOf(inode);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(inode);
  return found == shard.entries.end() ? nullptr : found->second.live;
}

std::vector<std::shared_ptr<LiveInode>> LiveTable::PeekAll() const {
  std::vector<std::shared_ptr<LiveInode>> all;
  for (const Shard& shard : state_->shards) {
    std::lock_guard lock(shard.mutex);
    for (const auto& [inode, entry] : shard.entries) {
      if (entry.live) all.push_back(entry.live);
    }
  }
  return all;
}

void LiveTable::Drop(const std::shared_ptr<LiveInode>& live) {
  const InodeId inode = live->id();
  Shard& shard = ShardOf(inode);
  {
    std::lock_guard lock(shard.mutex);
    Entry& entry = shard.entries[inode];
    if (entry.holds > 1) {
      --entry.holds;
      return;
    }
  }
  // The last hold, as it seems: kept while the state goes into the row, so that nobody removes the inode
  // or reads its row in between.
  const Status settled = live->Settle(SettleFor::kClose);
  if (!settled.ok()) {
    std::string line = "event=settle_failed";
    AppendField(line, "inode", inode.value());
    AppendField(line, "error", settled.error().ToString());
    Log(LogLevel::kError, line);
  }
  {
    std::lock_guard lock(shard.mutex);
    Entry& entry = shard.entries[inode];
    if (--entry.holds > 0) return;
    // What is unfinished lingers; the collector goes on with it.
    const bool lingers = entry.orphan ? live->lease_pending() : live->unfinished();
    if (!lingers && !entry.orphan) {
      entry.live.reset();
      if (entry.Idle()) shard.entries.erase(inode);
    }
  }
  ReapIfUnheld(inode);
}

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
    Log(LogLevel::kError, "event=reap_failed " + reaped.error().ToString());
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
  const auto committed = meta::Transact(*core_.store, [&](meta::Transaction& kv) -> Status {
    Tx tx(core_, kv, OriginId());
    AMPHORA_ASSIGN(const auto record, tx.FindInode(inode, Lock::kExclusive));
    if (record) {
      // A name was given back meanwhile: then there is nothing to reap.
      if (record->kind != FileKind::kDirectory && record->links > 0) return Ok();
      blob = record->content == ContentKind::kBlob;
      AMPHORA_TRY(tx.EraseInode(inode, *record));
      // It may stand although the content is inline by now.
      AMPHORA_TRY(kv.EraseOwned(Table::kRows, OpenForWriteKey(inode)));
    }
    return kv.EraseOwned(Table::kRows, OrphanKey(inode));
  });
  if (!committed.ok()) return committed.error();
  if (blob && core_.collector) core_.collector->Kick();
  return Ok();
}

LiveTable::RemovalClaim LiveTable::TryClaimRemoval(InodeId inode) {
  Shard& shard = ShardOf(inode);
  std::lock_guard lock(shard.mutex);
  Entry& entry = shard.entries[inode];
  if (entry.holds > 0 || entry.Busy() || entry.orphan) return {};
  if (entry.live && entry.live->lease_pending()) return {};
  entry.claimed = true;
  return {this, inode};
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
}

LiveTable::RemovalClaim::RemovalClaim(RemovalClaim&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)), inode_(other.inode_) {}

LiveTable::RemovalClaim& LiveTable::RemovalClaim::operator=(RemovalClaim&& other) noexcept {
  if (this != &other) {
    if (table_ != nullptr) table_->ReleaseClaim(inode_);
    table_ = std::exchange(other.table_, nullptr);
    inode_ = other.inode_;
  }
  return *this;
}

LiveTable::RemovalClaim::~RemovalClaim() {
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

void LiveTable::Adopted(InodeId inode) {
  Shard& shard = ShardOf(inode);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(inode);
  if (found == shard.entries.end()) return;
  Entry& entry = found->second;
  if (entry.orphan) state_->orphans.fetch_sub(1);
  entry.orphan = false;
  entry.known_by.clear();
  if (entry.live) entry.live->set_orphan(false);
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

void LiveTable::NoteSettled(InodeId inode, const Settled& settled) {
  Shard& shard = ShardOf(inode);
  std::lock_guard lock(shard.mutex);
  const bool added = shard.recent.insert_or_assign(inode, settled).second;
  if (!added) return;
  shard.recent_order.push_back(inode);
  if (shard.recent_order.size() <= Shard::kRecent) return;
  shard.recent.erase(shard.recent_order.front());
  shard.recent_order.pop_front();
}

std::optional<LiveTable::Settled> LiveTable::RecentlySettled(InodeId inode) const {
  const Shard& shard = ShardOf(inode);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.recent.find(inode);
  if (found == shard.recent.end()) return std::nullopt;
  return found->second;
}

Status LiveTable::Settle(InodeId inode) {
  const auto live = Peek(inode);
  return live ? live->Settle(SettleFor::kForce) : Ok();
}

Status LiveTable::SyncData(InodeId inode) {
  const auto live = Peek(inode);
  if (!live) return Ok();
  AMPHORA_TRY(live->SyncBlob());
  return live->Settle(SettleFor::kClose);
}

void LiveTable::NoteCommit(InodeId inode, Ticket ticket) {
  if (const auto live = Peek(inode)) live->NoteCommit(ticket);
}

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

// What was closed unsynced is synced at once where it is much: one syncfs costs less than many fdatasyncs.
Status LiveTable::SyncMany(const std::vector<std::shared_ptr<LiveInode>>& lingering) {
  constexpr std::size_t kMany = 32;
  struct Covered {
    std::shared_ptr<LiveInode> live;
    BlobId blob;
    std::uint64_t writes = 0;
  };
  std::vector<Covered> all;
  for (const auto& live : lingering) {
    // The blob first: should another take its place in between, what is noted of it counts for nothing.
    const BlobId blob = live->blob();
    const std::uint64_t writes = live->UnsyncedWrites();
    if (writes > 0) all.push_back({live, blob, writes});
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
