// Content for a copy of an object: one more reference to blobs that nobody writes, a clone of what
// somebody writes, or the bytes of a small file. Whatever it is, it is durable when it is answered,
// since a copy has no open-for-write row of its own to recover by.
#include "fs/core.h"
#include "fs/data/blob_pins.h"
#include "fs/data/extents.h"
#include "fs/data/live_inode.h"
#include "fs/data/live_table.h"

namespace amphora::fs {
namespace {

constexpr int kSettleAttempts = 3;
constexpr int kLookAttempts = 16;

}  // namespace

// With io_ held. Nothing when there is something to settle or to sync first, or a kernel may write
// past us (which counts as unsynced). A kernel that only reads is no hindrance.
std::optional<SharedContent> LiveInode::ShareHeld() {
  if (dirty() || Unsynced()) return std::nullopt;
  SharedContent shared;
  shared.size = size();
  {
    std::lock_guard figures(figures_mutex_);
    shared.content_stamp = content_stamp_;
  }
  switch (place_) {
    case Place::kMemory:
      shared.kind = memory_.empty() ? ContentKind::kEmpty : ContentKind::kInline;
      shared.inline_bytes = memory_;
      return shared;
    case Place::kBlob:
      if (blob_id_ != committed_.blob) return std::nullopt;
      shared.kind = ContentKind::kBlob;
      shared.extents = {{blob_id_, 0, shared.size}};
      owned_ = false;  // the next write looks at the pins
      break;
    case Place::kExtents:
      shared.kind = ContentKind::kExtents;
      shared.extents = extents_;
      break;
  }
  shared.pins = PinBlobs(table_.pins(), shared.extents);
  shared.keeps = PinBlobs(table_.keeps(), shared.extents);
  return shared;
}

// With io_ held: what it is at this moment.
Result<SharedContent> LiveInode::CloneHeld() {
  SharedContent shared;
  shared.copy = true;
  {
    std::lock_guard figures(figures_mutex_);
    RefreshFromBlob();
    observed_ = true;
    shared.content_stamp = content_stamp_;
  }
  shared.size = size();
  if (place_ == Place::kMemory) {
    AMPHORA_TRY(Load());
    shared.kind = memory_.empty() ? ContentKind::kEmpty : ContentKind::kInline;
    shared.inline_bytes = memory_;
    return shared;
  }
  AMPHORA_TRY(OpenBlob());
  AMPHORA_ASSIGN(const BlobFigures figures, blob_->Figures());
  shared.size = figures.size;
  AMPHORA_ASSIGN(shared.fresh, core_.blobs->Clone(*blob_, figures.size));
  shared.kind = ContentKind::kBlob;
  shared.extents = {{shared.fresh->id(), 0, figures.size}};
  return shared;
}

Result<SharedContent> LiveInode::ShareContent() {
  for (int attempt = 1; attempt <= kSettleAttempts; ++attempt) {
    AMPHORA_TRY(SyncBlob());
    AMPHORA_TRY(Settle(SettleFor::kForce));
    std::unique_lock lock(io_);
    if (passthrough_written_) break;
    if (place_ != Place::kBlob) AMPHORA_TRY(Load());
    if (auto shared = ShareHeld()) return std::move(*shared);
  }
  Result<SharedContent> cloned = [this] {
    std::unique_lock lock(io_);
    return CloneHeld();
  }();
  if (!cloned.ok() || !cloned->fresh) return cloned;
  const Status synced = cloned->fresh->Sync();
  if (synced.ok()) return cloned;
  (void)core_.blobs->Remove(cloned->fresh->id());
  return synced.error();
}

Result<SharedContent> LiveTable::ShareContent(InodeId inode, const InodeRecord& record) {
  InodeRecord row = record;
  for (int look = 0; look < kLookAttempts; ++look) {
    SharedContent shared{.kind = row.content,
                         .inline_bytes = {},
                         .extents = {},
                         .size = row.size,
                         .content_stamp = row.content_stamp,
                         .fresh = nullptr,
                         .pins = {},
                         .keeps = {}};
    if (row.content == ContentKind::kBlob) shared.extents = {{row.blob, 0, row.size}};
    const auto live = HoldLive(inode, [&] {
      shared.pins = PinBlobs(pins(), shared.extents);
      shared.keeps = PinBlobs(keeps(), shared.extents);
    });
    if (live) return live->ShareContent();
    if (row.content == ContentKind::kExtents) {
      auto extents = ReadExtents(core_.store->Newest(), inode);
      if (extents.ok()) {
        shared.keeps = PinBlobs(keeps(), *extents);
        shared.extents = std::move(*extents);
      }
    } else if (row.content == ContentKind::kInline) {
      AMPHORA_ASSIGN(auto bytes, core_.store->Newest().Get(Table::kContent, ContentKey(inode)));
      if (bytes) shared.inline_bytes = std::move(*bytes);
    }
    // Read and pinned first, looked at again then: so it belongs together.
    AMPHORA_ASSIGN(auto newest, ReadInode(core_.store->Newest(), inode));
    if (!newest) return Error(ErrorCode::kNotFound, "inode");
    const bool same = newest->content_stamp == row.content_stamp &&
                      newest->content == row.content && newest->blob == row.blob;
    if (same && row.content == ContentKind::kExtents && shared.extents.empty()) {
      return Error(ErrorCode::kCorrupt, "extents are missing");
    }
    if (same && row.content == ContentKind::kInline && shared.inline_bytes.empty()) {
      return Error(ErrorCode::kCorrupt, "inline content is missing");
    }
    if (same) return shared;
    row = std::move(*newest);
  }
  return Error(ErrorCode::kBusy, "content changes without end");
}

}  // namespace amphora::fs
