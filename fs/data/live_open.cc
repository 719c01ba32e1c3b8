// Handles of a live inode: which access mode they have, and when a passthrough has really ended.
// Decision 13.
#include "fs/core.h"
#include "fs/data/blob_pins.h"
#include "fs/data/live_inode.h"
#include "fs/data/live_table.h"
#include "meta/base/log.h"

namespace amphora::fs {

// False: another inode's handles are in passthrough on it, or a GET sends from its file.
bool LiveInode::ClaimBlob() {
  claim_ = table_.pins().Claim(blob_id_, id_);
  if (claim_) return true;
  // The other one may have been closed already, and nobody looked since.
  const auto holder = table_.pins().ClaimedBy(blob_id_);
  const auto other = holder ? table_.Peek(*holder) : nullptr;
  if (!other) return false;
  other->TryEndPassthroughNow();
  claim_ = table_.pins().Claim(blob_id_, id_);
  return claim_ != nullptr;
}

Result<AccessMode> LiveInode::ChooseMode(const OpenOptions& options, Freshness fresh) {
  if (handles_ > 0 || !EndPassthroughHeld()) return mode_;
  mode_ = AccessMode::kDaemon;
  claim_.reset();  // of an open that failed after it
  // What the kernel writes by itself no quota stops (hazards 1.4).
  if (options.write && charge_.limited()) return AccessMode::kDaemon;
  const bool candidate = options.passthrough_possible && fresh == Freshness::kExisting &&
                         !options.truncate && place_ == Place::kBlob &&
                         blob_id_ == committed_.blob && size() > core_.options.inline_limit;
  if (!candidate || !core_.blobs->CanPassThrough()) return AccessMode::kDaemon;
  // The kernel's own writes do not take setuid and setgid away.
  if (options.write) {
    AMPHORA_ASSIGN(const bool privileged, HasPrivileges());
    if (privileged) return AccessMode::kDaemon;
  }
  AMPHORA_TRY(OpenBlob());
  if (blob_->descriptor() < 0) return AccessMode::kDaemon;
  // A reader may have it shared: should a writer come, the others get a copy (live_split.cc). A
  // writer that is first goes through the daemon then, which copies before the first write
  // (hazards 1.2), and only then.
  if (options.write || !core_.blobs->CanExchange()) {
    AMPHORA_ASSIGN(const bool alone, IsShareable());
    if (!alone) return AccessMode::kDaemon;
  }
  return ClaimBlob() ? AccessMode::kPassthrough : AccessMode::kDaemon;
}

Result<AccessMode> LiveInode::AddHandle(const Caller& caller, const OpenOptions& options,
                                        Freshness fresh) {
  Ticket wait_for = 0;
  bool attributes_move = false;
  AccessMode mode = AccessMode::kDaemon;
  if (options.write) AMPHORA_TRY(SplitBeforeWrite());
  {
    std::unique_lock lock(io_);
    // A writable open the kernel refuses by itself; of O_RDONLY with O_TRUNC it asks too late.
    if (options.truncate && executors_ > 0) return Error(ErrorCode::kTextBusy, "it is running");
    AMPHORA_ASSIGN(mode, ChooseMode(options, fresh));
    mode_ = mode;
    if (mode == AccessMode::kPassthrough) {
      AMPHORA_TRY(OpenBlob());
      if (options.write) {
        AMPHORA_TRY(PrepareInPlace());
        wait_for = open_row_ticket_;
      }
    }
    if (mode == AccessMode::kPassthrough && options.write) {
      AMPHORA_ASSIGN(const BlobFigures now, blob_->Figures());
      passthrough_written_ = true;
      std::lock_guard figures(figures_mutex_);
      attributes_move = !live_blob_;
      if (mapped_blob_.valid()) {
        RefreshFromBlob();  // what a mapping stored up to now
      } else if (!live_blob_) {
        seen_ = now;
        seen_at_ = Time::Now();
      }
      live_blob_ = blob_;
      mapped_blob_ = BlobId();
    }
    ++handles_;
    if (options.write) ++writers_;
    if (options.execute) ++executors_;
  }
  table_.CountHandles(1);
  // From now on attributes move unseen: no kernel may keep those that it has (hazards 1.3).
  if (attributes_move) core_.Publish({AttributesChange()});
  // Outside the lock: a log sync must not delay readers.
  Status ready = wait_for == 0 ? Ok() : core_.store->WaitDurable(wait_for);
  if (ready.ok() && options.truncate && fresh == Freshness::kExisting) {
    ready = Truncate(0, {.origin = caller.origin});
  }
  if (ready.ok()) return mode;
  RemoveHandle(options);
  return ready.error();
}

void LiveInode::RemoveHandle(const OpenOptions& options) {
  {
    std::unique_lock lock(io_);
    --handles_;
    if (options.write) --writers_;
    if (options.execute) --executors_;
    if (handles_ == 0) EndHandles();
  }
  table_.CountHandles(-1);
}

// With io_ held, after the last release.
void LiveInode::EndHandles() {
  if (mode_ == AccessMode::kPassthrough) {
    {
      std::lock_guard figures(figures_mutex_);
      RefreshFromBlob();
      live_blob_.reset();
      if (passthrough_written_) mapped_blob_ = blob_id_;
    }
    if (passthrough_written_) ++writes_;
    lease_pending_.store(true);
    // What was only read can't be held by its registration, so it is over unless it is mapped.
    if (!passthrough_written_) (void)EndPassthroughHeld();
  }
  // The descriptor goes with the last handle: a lease is refused while anybody has it open for
  // writing.
  if (blob_id_ == committed_.blob) SetBlob(nullptr);
}

int LiveInode::backing_fd() const {
  std::shared_lock lock(io_);
  return mode_ == AccessMode::kPassthrough && blob_ ? blob_->descriptor() : -1;
}

bool LiveInode::KeepsCache(OriginId origin) const {
  std::lock_guard figures(figures_mutex_);
  return !dirty() || (origin.valid() && origin_ == origin);
}

// With io_ held, no handle left. Notes that what could write is gone.
bool LiveInode::MayStillBeWritten() {
  if (!passthrough_written_) return false;
  SetBlob(nullptr);
  const auto writers = core_.blobs->HasForeignWriters(blob_id_);
  if (!writers.ok() && !writers.Is(ErrorCode::kBusy)) {
    ReportOnce("lease_probe_failed", writers.error());
  }
  if (!writers.ok() || *writers) return true;
  std::lock_guard figures(figures_mutex_);
  RefreshFromBlob();
  mapped_blob_ = BlobId();
  passthrough_written_ = false;
  return false;
}

// With io_ held. Whether the mode is free to be chosen again: no handle, and no mapping either,
// since one that only reads has to see what is written later, wherever that goes.
bool LiveInode::EndPassthroughHeld() {
  if (!lease_pending_.load()) return true;
  if (handles_ > 0 || MayStillBeWritten()) return false;
  const Status opened = OpenBlob();
  const auto used = opened.ok() ? blob_->IsUsedElsewhere() : Result<bool>(opened.error());
  SetBlob(nullptr);
  if (!used.ok()) ReportOnce("lease_probe_failed", used.error());
  if (!used.ok() || *used) return false;
  lease_pending_.store(false);
  mode_ = AccessMode::kDaemon;
  claim_.reset();
  return true;
}

bool LiveInode::TryEndPassthrough() {
  std::unique_lock lock(io_);
  (void)EndPassthroughHeld();
  return !passthrough_written_;
}

void LiveInode::TryEndPassthroughNow() {
  const std::unique_lock lock(io_, std::try_to_lock);
  if (lock.owns_lock()) (void)EndPassthroughHeld();
}

}  // namespace amphora::fs
