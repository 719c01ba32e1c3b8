// Which inodes are live, and who holds them, from the first Acquire to the last release.
#include "fs/data/live_table.h"

#include <algorithm>
#include <optional>

#include "fs/core.h"
#include "fs/data/live_inode.h"
#include "meta/base/log.h"
#include "meta/base/log_limit.h"

namespace amphora::fs {

LiveTable::LiveTable(Core& core) : core_(core), state_(std::make_unique<State>()) {}
LiveTable::~LiveTable() = default;

LiveTable::Shard& LiveTable::ShardOf(InodeId inode) const {
  return state_->shards[std::hash<InodeId>()(inode) % State::kShards];
}

BlobPins& LiveTable::pins() { return state_->pins; }
BlobPins& LiveTable::keeps() { return state_->keeps; }

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

std::shared_ptr<LiveInode> LiveTable::AcquireNew(Claim claim, const InodeRecord& record) {
  const InodeId inode = claim.inode();
  auto live = std::make_shared<LiveInode>(core_, *this, inode, record);
  Shard& shard = ShardOf(inode);
  {
    std::lock_guard lock(shard.mutex);
    Entry& entry = shard.entries[inode];
    entry.holds = 1;
    entry.live = live;
    // The name may be gone already.
    live->set_orphan(entry.orphan);
    if (record.links == 0) MarkOrphan(entry);
    entry.claimed = false;
    claim.table_ = nullptr;
  }
  shard.changed.notify_all();
  return Wrap(std::move(live));
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
  // The last hold, as it seems: kept while the state goes into the row, so that nobody removes the
  // inode or reads its row in between.
  const Status settled = live->Settle(SettleFor::kClose);
  if (!settled.ok()) {
    std::string line = "event=settle_failed";
    AppendField(line, "inode", inode.value());
    AppendField(line, "error", settled.error().ToString());
    LogLimited(LogLevel::kError, "event=settle_failed", std::move(line));
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

std::uint64_t LiveTable::HeldBytes(InodeId inode) const {
  const auto live = Peek(inode);
  return live ? live->held_bytes() : 0;
}

bool LiveTable::IsUnfinished(InodeId inode) const {
  const auto live = Peek(inode);
  return live && live->unfinished();
}

bool LiveTable::ResizeMayWait(InodeId inode, std::uint64_t size) const {
  const auto live = Peek(inode);
  return live ? live->ResizeMayWait(size) : size > 0;
}

Status LiveTable::SyncData(InodeId inode) {
  const auto live = Peek(inode);
  if (!live) return Ok();
  AMPHORA_TRY(live->SyncBlob());
  return live->Settle(SettleFor::kClose);
}

void LiveTable::NoteModified(InodeId inode, Time modified) {
  if (const auto live = Peek(inode)) live->NoteModified(modified);
}

void LiveTable::NoteCommit(InodeId inode, Ticket ticket) {
  if (const auto live = Peek(inode)) live->NoteCommit(ticket);
}

}  // namespace amphora::fs
