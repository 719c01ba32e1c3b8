// Splitting a blob in passthrough: this inode's handles only read, so its blob may have been
// shared; now one of them wants to write. The kernel has the blob's file open and takes no other
// for this inode, and mappings see that file only. So the file stays here, under a fresh id, and
// all others who name the blob get a copy of it, under the old id: no row of theirs is touched.
//
//   copy, durable → the two files exchange names, durable → one row and the open-for-write row →
//   durable → the writable OPEN is answered (live_open.cc)
//
// Up to the last step nobody writes, so both files hold the same bytes, and a crash may leave
// either name on either. Decision 13.
#include "fs/core.h"
#include "fs/data/blob_pins.h"
#include "fs/data/collector.h"
#include "fs/data/live_inode.h"
#include "fs/data/live_table.h"
#include "fs/data/open_row.h"
#include "fs/data/space_guard.h"
#include "fs/tx.h"
#include "meta/base/failpoint.h"
#include "meta/base/log_limit.h"

namespace amphora::fs {

// With io_ held.
Result<bool> LiveInode::MustSplit() {
  if (mode_ != AccessMode::kPassthrough || owned_) return false;
  AMPHORA_ASSIGN(const bool alone, IsShareable());
  return !alone;
}

// Nobody writes into `blob`: it is shared or pinned, and no writer is in passthrough.
Result<std::shared_ptr<Blob>> LiveInode::DurableCopy(Blob& blob) const {
  AMPHORA_ASSIGN(const BlobFigures figures, blob.Figures());
  if (!core_.blobs->CanReflink()) AMPHORA_TRY(core_.space->Admit(figures.size));
  AMPHORA_ASSIGN(auto copy, core_.blobs->Clone(blob, figures.size));
  Status synced = Failpoint("fs.split.copy_sync");
  if (synced.ok()) synced = copy->Sync();
  if (synced.ok()) return copy;
  (void)core_.blobs->Remove(copy->id());
  return synced.error();
}

// The bytes are copied while nobody waits for io_; what changed meanwhile makes the copy useless.
Status LiveInode::SplitBeforeWrite() {
  std::shared_ptr<Blob> blob;
  std::uint64_t writes = 0;
  {
    std::unique_lock lock(io_);
    AMPHORA_ASSIGN(const bool must, MustSplit());
    if (!must) return Ok();
    AMPHORA_TRY(OpenBlob());
    blob = blob_;
    writes = writes_;
  }
  AMPHORA_ASSIGN(auto copy, DurableCopy(*blob));
  std::unique_lock lock(io_);
  if (blob_id_ == blob->id() && writes_ == writes) {
    AMPHORA_ASSIGN(const bool must, MustSplit());
    if (must) return SplitHeld(std::move(copy));
  }
  return core_.blobs->Remove(copy->id());
}

// With io_ held: over the fsync of two directories too.
Status LiveInode::SplitHeld(std::shared_ptr<Blob> copy) {
  const BlobId mine = copy->id();
  auto claim = table_.pins().Claim(mine, id_);
  Status done = OpenBlob();
  if (done.ok()) done = Failpoint("fs.split.before_exchange");
  if (done.ok()) done = core_.blobs->Exchange(*blob_, *copy);
  if (!done.ok()) {
    (void)core_.blobs->Remove(mine);
    return done;
  }
  done = CommitSplit(mine);
  if (!done.ok()) {
    // Back to where the kernel's file has the name that our row says.
    const Status back = core_.blobs->Exchange(*blob_, *copy);
    if (back.ok()) {
      (void)core_.blobs->Remove(mine);
    } else {
      blob_->Poison();  // nobody writes past us into a file that no row names
      LogLimited(LogLevel::kError, "event=split_undo_failed",
                 "event=split_undo_failed " + back.error().ToString());
    }
    return done;
  }
  blob_id_ = committed_.blob = mine;
  SetBlob(std::move(copy));
  claim_ = std::move(claim);
  owned_ = true;
  if (core_.collector) core_.collector->Kick();
  return Ok();
}

Status LiveInode::CommitSplit(BlobId mine) {
  AMPHORA_TRY(Failpoint("fs.split.before_commit"));
  DirectoryCache::Changes none(*core_.directories);  // a regular file's row is no directory's
  const auto committed = meta::Transact(*core_.store, [&](meta::Transaction& kv) -> Status {
    Tx tx(core_, kv, OriginId(), none);
    AMPHORA_ASSIGN(auto record, tx.FindInode(id_, Lock::kExclusive));
    if (!record || record->content != ContentKind::kBlob || record->blob != blob_id_) {
      return Error(ErrorCode::kStale, "the content was replaced");
    }
    record->blob = mine;
    AMPHORA_TRY(tx.AddBlobReference(mine));
    AMPHORA_TRY(tx.DropBlobReference(blob_id_));
    AMPHORA_TRY(tx.PutInode(id_, *record));
    return kv.PutFresh(Table::kRows, OpenForWriteKey(id_), EncodeOpenRow(mine));
  });
  if (!committed.ok()) return committed.error();
  open_row_ticket_ = committed->ticket;
  open_row_.store(true);
  NoteCommit(committed->ticket);
  // The sync is on its way before the kernel writes the first page back.
  core_.store->WhenDurable(committed->ticket, [](Status) {});
  return Ok();
}

}  // namespace amphora::fs
