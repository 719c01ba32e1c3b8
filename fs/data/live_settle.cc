// From memory to the row, and from there to the disk: settle, fsync, and what is left after the
// last release. The order of the steps is hazards section 5; each arrow has a failpoint.
#include <sys/stat.h>

#include "fs/core.h"
#include "fs/data/live_inode.h"
#include "fs/data/live_table.h"
#include "fs/data/open_row.h"
#include "fs/tx.h"
#include "meta/base/failpoint.h"
#include "meta/base/log.h"
#include "meta/base/log_limit.h"

namespace amphora::fs {

bool LiveInode::Unsynced() const {
  return place_ == Place::kBlob && (writes_ > synced_ || passthrough_written_);
}

bool LiveInode::MustSyncBeforeSettle(SettleFor reason) const {
  if (place_ != Place::kBlob) return false;
  if (copied_ > synced_ && blob_id_ != committed_.blob) return true;  // hazards 5.4
  return reason == SettleFor::kClose && replaced_ && Unsynced();      // hazards 5.5
}

bool LiveInode::FlushMayWait() const {
  std::shared_lock lock(io_);
  return dirty() && MustSyncBeforeSettle(SettleFor::kClose);
}

bool LiveInode::WriteMayWait() const {
  std::shared_lock lock(io_);
  if (place_ == Place::kExtents) return true;  // joined first
  return place_ == Place::kBlob && !owned_;
}

bool LiveInode::ResizeMayWait(std::uint64_t size) const {
  std::shared_lock lock(io_);
  if (place_ == Place::kExtents) return size > 0;
  return place_ == Place::kBlob && !owned_ && (size > 0 || mode_ == AccessMode::kPassthrough);
}

Status LiveInode::CommitOpenRow() {
  AMPHORA_TRY(Failpoint("fs.open_row.before_commit"));
  const auto committed = meta::Transact(*core_.store, [&](meta::Transaction& kv) {
    return kv.PutFresh(Table::kRows, OpenForWriteKey(id_), EncodeOpenRow(blob_id_));
  });
  if (!committed.ok()) return committed.error();
  open_row_ticket_ = committed->ticket;
  open_row_.store(true);
  // Nobody waits here; the sync is on its way before the kernel writes the first page back.
  core_.store->WhenDurable(committed->ticket, [](Status) {});
  return Ok();
}

Status LiveInode::SyncBlob() {
  std::shared_ptr<Blob> blob;
  std::uint64_t covered = 0;
  Ticket open_row = 0;
  {
    std::unique_lock lock(io_);
    if (!Unsynced()) return Ok();
    AMPHORA_TRY(OpenBlob());
    blob = blob_;
    covered = writes_;
    if (open_row_.load()) open_row = open_row_ticket_;
  }
  if (open_row != 0) AMPHORA_TRY(core_.store->WaitDurable(open_row));
  AMPHORA_TRY(Failpoint("fs.fsync.data"));
  AMPHORA_TRY(blob->Sync());
  std::unique_lock lock(io_);
  if (place_ == Place::kBlob && blob_id_ == blob->id()) {
    synced_ = std::max(synced_, covered);
    replaced_ = false;
  }
  // Of a lingering inode nothing stays open.
  if (handles_ == 0 && blob_id_ == committed_.blob) SetBlob(nullptr);
  return Ok();
}

Status LiveInode::Settle(SettleFor reason) {
  for (;;) {
    std::vector<Change> published;
    {
      std::unique_lock lock(io_);
      {
        std::lock_guard figures(figures_mutex_);
        RefreshFromBlob();
      }
      if (!dirty() || gone_) return Ok();
      if (orphan_.load() && reason != SettleFor::kForce) return Ok();
      if (!MustSyncBeforeSettle(reason)) {
        AMPHORA_TRY(SettleHeld(published));
        // What lingers without a handle keeps no descriptor.
        if (handles_ == 0 && place_ == Place::kBlob) SetBlob(nullptr);
        lock.unlock();
        core_.Publish(published);
        return Ok();
      }
    }
    AMPHORA_TRY(SyncBlob());
  }
}

Status LiveInode::SettleHeld(std::vector<Change>& published) {
  if (place_ == Place::kMemory) AMPHORA_TRY(Load());
  LiveTable::Settled settled;
  std::uint64_t changes = 0;
  OriginId origin;
  {
    std::lock_guard figures(figures_mutex_);
    settled = {.size = size(),
               .modified = modified_,
               .changed = changed_,
               .last_modified = last_modified_,
               .content_stamp = content_stamp_,
               .taken = taken_,
               .allocated = {}};
    if (place_ == Place::kMemory) settled.allocated = (stored_ + 511) / 512 * 512;
    changes = changes_;
    origin = origin_;
  }
  AMPHORA_TRY(Failpoint("fs.settle.before_commit"));
  std::optional<SettledGrowth> growth;
  const bool needs_open_row = Unsynced() && (!open_row_.load() || blob_id_ != committed_.blob);
  DirectoryCache::Changes none(*core_.directories);  // a regular file's row is no directory's
  const auto committed = meta::Transact(*core_.store, [&](meta::Transaction& kv) -> Status {
    Tx tx(core_, kv, origin, none);
    AMPHORA_ASSIGN(growth, SettleInto(tx));
    if (!growth) return Ok();
    if (needs_open_row) {
      AMPHORA_TRY(kv.PutFresh(Table::kRows, OpenForWriteKey(id_), EncodeOpenRow(blob_id_)));
    }
    published = tx.TakeChanges();
    return Ok();
  });
  if (!committed.ok()) return committed.error();
  table_.NoteSettled(id_, settled);
  if (growth && growth->counted) charge_.Settled(growth->bytes);
  std::lock_guard figures(figures_mutex_);
  if (!growth) {
    gone_ = true;
    dirty_.store(false);
    return Ok();
  }
  if (changes == changes_) {
    dirty_.store(false, std::memory_order_release);
    if (taken_ != 0) permissions_.reset();
    taken_ = 0;
  }
  committed_ = {.content = place_ == Place::kBlob      ? ContentKind::kBlob
                           : place_ == Place::kExtents ? ContentKind::kExtents
                           : memory_.empty()           ? ContentKind::kEmpty
                                                       : ContentKind::kInline,
                .blob = blob_id_,
                .size = settled.size};
  if (!Unsynced() || place_ == Place::kMemory) replaced_ = false;
  if (needs_open_row) {
    open_row_ticket_ = committed->ticket;
    open_row_.store(true);
  }
  last_ticket_.store(committed->ticket);
  return Ok();
}

// Writes size, times and content into the row.
Result<std::optional<LiveInode::SettledGrowth>> LiveInode::SettleInto(Tx& tx) {
  AMPHORA_ASSIGN(auto found, tx.FindInode(id_, Lock::kExclusive));
  if (!found) return std::optional<SettledGrowth>();
  InodeRecord& record = *found;
  const Committed before{record.content, record.blob, record.size};
  {
    std::lock_guard figures(figures_mutex_);
    record.size = size();
    record.modified = modified_;
    record.changed = std::max(record.changed, changed_);
    record.last_modified = std::max(record.last_modified, last_modified_);
    record.content_stamp = content_stamp_;
    record.permissions &= ~taken_;
  }
  record.ForgetDigests();
  if (place_ == Place::kBlob) {
    record.content = ContentKind::kBlob;
    record.blob = blob_id_;
    const bool new_blob = before.content != ContentKind::kBlob || before.blob != blob_id_;
    if (new_blob) AMPHORA_TRY(tx.AddBlobReference(blob_id_));
  } else if (place_ == Place::kMemory) {
    record.content = memory_.empty() ? ContentKind::kEmpty : ContentKind::kInline;
    record.blob = BlobId();
    if (!memory_.empty()) {
      if (memory_.size() < record.size) memory_.resize(record.size);
      AMPHORA_TRY(tx.PutInlineContent(id_, memory_));
    }
  }
  if (before.content == ContentKind::kInline && record.content != ContentKind::kInline) {
    AMPHORA_TRY(tx.EraseInlineContent(id_));
  }
  if (before.content == ContentKind::kExtents && record.content != ContentKind::kExtents) {
    AMPHORA_TRY(tx.EraseExtents(id_));
  }
  if (before.content == ContentKind::kBlob && before.blob != record.blob) {
    AMPHORA_TRY(tx.DropBlobReference(before.blob));
  }
  // What an orphan holds was taken from its bucket's sums with its last name.
  const bool counted = record.links > 0;
  const std::int64_t growth =
      counted ? static_cast<std::int64_t>(record.size) - static_cast<std::int64_t>(before.size) : 0;
  AMPHORA_TRY(tx.AddUsage(record.bucket, 0, 0, growth));
  AMPHORA_TRY(tx.PutInode(id_, record));
  tx.AddChange({.what = Change::What::kContent,
                .inode = id_,
                .name = {},
                .old_inode = {},
                .bucket = record.bucket,
                .origin = {}});
  return std::optional(SettledGrowth{counted, growth});
}

void LiveInode::NoteCommit(Ticket ticket) {
  Ticket known = last_ticket_.load();
  if (known < ticket) {
    std::lock_guard figures(figures_mutex_);
    permissions_.reset();
  }
  while (known < ticket && !last_ticket_.compare_exchange_weak(known, ticket)) {
  }
}

void LiveInode::NoteModified(Time modified) {
  std::lock_guard figures(figures_mutex_);
  modified_ = modified;
}

Status LiveInode::Sync() {
  AMPHORA_TRY(SyncBlob());
  // Nobody can find an orphan after a crash; should it get a name, it is settled first.
  if (orphan_.load()) return Ok();
  bool recoverable = false;
  {
    std::shared_lock lock(io_);
    std::lock_guard figures(figures_mutex_);
    recoverable = place_ == Place::kBlob && blob_id_ == committed_.blob && open_row_.load() &&
                  core_.store->IsDurable(open_row_ticket_) && taken_ == 0;
  }
  // With its open-for-write row durable, size and times come back from the blob (hazards 5.6).
  if (!recoverable) AMPHORA_TRY(Settle(SettleFor::kClose));
  AMPHORA_TRY(Failpoint("fs.fsync.log"));
  return core_.store->WaitDurable(last_ticket_.load());
}

Status LiveInode::Publish() {
  if (!unpublished_.load()) return Ok();
  const auto committed = core_.Run(OriginId(), [&](Tx& tx) -> Status {
    AMPHORA_ASSIGN(auto record, tx.FindInode(id_, Lock::kExclusive));
    if (!record || !record->unpublished) return Ok();
    record->unpublished = false;
    // For S3 it begins to be now.
    record->last_modified = std::max(record->last_modified, tx.now());
    return tx.PutInode(id_, *record);
  });
  if (!committed.ok()) return committed.error();
  unpublished_.store(false);
  NoteCommit(committed->ticket);
  return Ok();
}

Status LiveInode::EraseOpenRow() {
  const auto committed = meta::Transact(*core_.store, [&](meta::Transaction& kv) {
    return kv.EraseOwned(Table::kRows, OpenForWriteKey(id_));
  });
  if (!committed.ok()) return committed.error();
  open_row_.store(false);
  open_row_ticket_ = 0;
  return Ok();
}

std::uint64_t LiveInode::UnsyncedWrites() const {
  std::shared_lock lock(io_);
  return handles_ == 0 && !passthrough_written_ && Unsynced() ? writes_ : 0;
}

BlobId LiveInode::blob() const {
  std::shared_lock lock(io_);
  return blob_id_;
}

void LiveInode::NoteSynced(BlobId blob, std::uint64_t covered) {
  std::unique_lock lock(io_);
  if (place_ == Place::kBlob && blob_id_ == blob) synced_ = std::max(synced_, covered);
}

void LiveInode::ReportOnce(std::string_view event, const Error& error) {
  if (reported_.exchange(true)) return;
  std::string line;
  AppendField(line, "event", event);
  AppendField(line, "inode", id_.value());
  AppendField(line, "error", error.ToString());
  LogLimited(LogLevel::kError, event, std::move(line));
}

Status LiveInode::Finish() {
  if (!TryEndPassthrough()) return Ok();
  AMPHORA_TRY(Settle(SettleFor::kClose));
  if (!open_row_.load()) return Ok();
  AMPHORA_TRY(SyncBlob());
  std::unique_lock lock(io_);
  if (handles_ > 0 || dirty() || Unsynced()) return Ok();
  AMPHORA_TRY(Failpoint("fs.open_row.before_erase"));
  return EraseOpenRow();
}

void LiveInode::NoteRemoved() {
  std::unique_lock lock(io_);
  gone_ = true;
  dirty_.store(false);
  if (!open_row_.load()) return;
  const Status erased = EraseOpenRow();
  // Start-up erases a row whose inode is gone.
  if (!erased.ok()) {
    LogLimited(LogLevel::kWarning, "event=open_row_left",
               "event=open_row_left " + erased.error().ToString());
  }
}

}  // namespace amphora::fs
