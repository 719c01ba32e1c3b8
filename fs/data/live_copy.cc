// copy_file_range between live inodes: by sharing the blob, by sharing extents, or by bytes.
#include <algorithm>
#include <vector>

#include "fs/core.h"
#include "fs/data/live_inode.h"
#include "fs/data/live_table.h"

namespace amphora::fs {
namespace {

// One call copies at most this much by bytes, so that the locks of both files are not held for
// long; copy_file_range(2) may copy less than asked.
constexpr std::uint64_t kMaxCopyBytes = 32 << 20;

}  // namespace

// A whole file onto an empty one: one more reference instead of bytes. Only what is settled and
// synced: the copy has no open-for-write row of its own to recover by. Never a blob that a kernel
// may write, which counts as unsynced (hazards 1.2); one that it only reads is split before it may
// be written (live_split.cc).
bool LiveInode::CanShareWith(const LiveInode& target, std::uint64_t length) const {
  return place_ == Place::kBlob && blob_id_ == committed_.blob && !dirty() && !Unsynced() &&
         (mode_ == AccessMode::kDaemon || core_.blobs->CanExchange()) &&
         target.mode_ == AccessMode::kDaemon && !gone_ && target.place_ == Place::kMemory &&
         target.size() == 0 && length >= size() && !orphan() && !target.orphan();
}

Status LiveInode::ShareInto(LiveInode& target, const Writer& writer,
                            std::vector<Change>& published) {
  owned_ = false;
  target.place_ = Place::kBlob;
  target.blob_id_ = blob_id_;
  target.SetBlob(blob_);
  target.owned_ = false;
  target.writes_ = target.synced_ = target.copied_ = 0;
  target.NoteWrite(writer, size());
  // At once: before this commit nothing but our lock keeps the source from writing in place.
  Status settled = target.SettleHeld(published);
  if (settled.ok() && target.gone_)
    settled = Error(ErrorCode::kStale, "the target's inode is gone");
  if (settled.ok()) return settled;
  // The blob is not the target's: forget it without removing it.
  target.place_ = Place::kMemory;
  target.blob_id_ = BlobId();
  target.SetBlob(nullptr);
  target.memory_.clear();
  target.loaded_ = true;
  target.NoteWrite(writer, 0);
  return settled;
}

Result<std::uint64_t> LiveInode::CopyInto(std::uint64_t offset, LiveInode& target,
                                          std::uint64_t target_offset, std::uint64_t length) {
  const bool by_blobs = place_ == Place::kBlob && (target.place_ == Place::kBlob ||
                                                   std::max(target_offset + length, target.size()) >
                                                       core_.options.inline_limit);
  if (by_blobs) {
    if (target.place_ == Place::kMemory) AMPHORA_TRY(target.MoveToBlob());
    AMPHORA_TRY(target.PrepareInPlace());
    ++target.writes_;
    if (!core_.blobs->CanReflink()) length = std::min(length, kMaxCopyBytes);
    return core_.blobs->CopyRange(*blob_, offset, *target.blob_, target_offset, length);
  }
  std::vector<std::byte> buffer(std::min(length, kMaxCopyBytes));
  AMPHORA_ASSIGN(const std::size_t got, ReadHeld(offset, buffer));
  AMPHORA_TRY(target.WriteHeld(target_offset, std::span(buffer).first(got)));
  return std::uint64_t{got};
}

struct LiveInode::TrimAtEnd {
  LiveInode& inode;
  ~TrimAtEnd() { inode.charge_.Trim(inode.size()); }
};

// What was written lately and is not written now costs less to sync than to copy. A failure shows
// where the bytes are copied.
void LiveInode::SyncForSharing() {
  {
    std::shared_lock lock(io_);
    if (place_ != Place::kBlob || writers_ > 0 || passthrough_written_ || orphan()) return;
  }
  if (!SyncBlob().ok()) return;
  (void)Settle(SettleFor::kBackground);
}

Result<std::uint64_t> LiveInode::Copy(LiveInode& source, std::uint64_t offset, LiveInode& target,
                                      std::uint64_t target_offset, std::uint64_t length,
                                      const Writer& writer) {
  const bool same = &source == &target;
  Writer change = writer;
  std::vector<Change> published;
  std::uint64_t copied = 0;
  if (!same && offset == 0 && target_offset == 0 && length >= source.size() && target.size() == 0) {
    source.SyncForSharing();
  }
  {
    std::unique_lock source_lock(source.io_, std::defer_lock);
    std::unique_lock target_lock(target.io_, std::defer_lock);
    if (same) {
      source_lock.lock();
    } else {
      std::lock(source_lock, target_lock);
    }
    for (LiveInode* inode : {&source, &target}) {
      std::lock_guard figures(inode->figures_mutex_);
      inode->RefreshFromBlob();
    }
    const std::uint64_t source_end = source.size();
    if (offset >= source_end || length == 0) return std::uint64_t{0};
    length = std::min(length, source_end - offset);
    constexpr auto kMax = static_cast<std::uint64_t>(INT64_MAX);
    if (target_offset > kMax || length > kMax - target_offset) {
      return Error(ErrorCode::kFileTooLarge, "offset");
    }
    if (same && offset < target_offset + length && target_offset < offset + length) {
      return Error(ErrorCode::kInvalidArgument, "the ranges overlap");
    }
    AMPHORA_ASSIGN(change.takes, target.PrivilegesTaken(writer));
    if (target_offset + length > target.size()) {
      AMPHORA_ASSIGN(
          const std::uint64_t end,
          target.charge_.Grow(std::max(target_offset, target.size()), target_offset + length));
      length = end - target_offset;
    }
    // What was not copied after all is not held.
    const TrimAtEnd trim{target};
    AMPHORA_TRY(source.place_ == Place::kBlob ? source.OpenBlob() : source.Load());
    if (!same && offset == 0 && target_offset == 0 && source.CanShareWith(target, length)) {
      AMPHORA_TRY(source.ShareInto(target, change, published));
      copied = length;
    } else {
      const auto done = source.CopyInto(offset, target, target_offset, length);
      if (!done.ok()) {
        target.NoteFailedWrite(writer);
        return done.error();
      }
      copied = *done;
      if (copied > 0) target.NoteWrite(change, std::max(target.size(), target_offset + copied));
    }
  }
  if (change.takes != 0) published.push_back(target.AttributesChange());
  target.core_.Publish(published);
  return copied;
}

}  // namespace amphora::fs
