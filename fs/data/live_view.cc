// What others see of a live inode: figures for stat and LIST, content for GET.
#include <algorithm>
#include <utility>

#include "fs/core.h"
#include "fs/data/blob_pins.h"
#include "fs/data/extents.h"
#include "fs/data/live_inode.h"
#include "fs/data/live_table.h"

namespace amphora::fs {
namespace {

// A file's time stamp may stand still for this long although the file changes (the kernel's tick).
constexpr std::int64_t kTickNs = 20'000'000;

}  // namespace

void LiveInode::MarkDirty(const Writer& writer) {
  ++changes_;
  rewritten_ = true;
  if (!dirty_.load(std::memory_order_relaxed)) {
    content_stamp_ = core_.stamps->Next();
    observed_ = false;
    origin_ = writer.origin;
    dirty_since_ns_.store(MonotonicNow(), std::memory_order_relaxed);
    dirty_.store(true, std::memory_order_release);
  } else {
    if (observed_) content_stamp_ = core_.stamps->Next();
    observed_ = false;
    if (origin_ != writer.origin) origin_ = OriginId();
  }
  taken_ |= writer.takes;
}

std::optional<BlobFigures> LiveInode::LookAtBlob() const {
  if (live_blob_) {
    const auto figures = live_blob_->Figures();
    return figures.ok() ? std::optional(*figures) : std::nullopt;
  }
  if (!mapped_blob_.valid()) return std::nullopt;
  const auto figures = core_.blobs->Find(mapped_blob_);
  return figures.ok() ? *figures : std::nullopt;
}

void LiveInode::RefreshFromBlob() {
  const auto now = LookAtBlob();
  if (!now) return;
  const bool moved = now->size != seen_.size || now->modified != seen_.modified;
  const bool unsure = seen_.modified.nanoseconds() + kTickNs > seen_at_.nanoseconds();
  const Time looked = std::exchange(seen_at_, Time::Now());
  if (!moved && !unsure) return;
  seen_ = *now;
  // The kernels that wrote know the bytes, but nobody knows which kernels: all are told (origin 0).
  MarkDirty(Writer{});
  size_ = now->size;
  changed_ = std::max(changed_, now->changed);
  last_modified_ = std::max(last_modified_, now->changed);
  if (!moved) return;
  // The kernel's clock for files lags behind ours by up to a tick: that is no step back. And what
  // was written after we looked is not older than that look, whatever was set in between.
  const bool same_tick = modified_ >= now->modified &&
                         modified_.nanoseconds() <= now->modified.nanoseconds() + kTickNs;
  modified_ = std::max(same_tick ? modified_ : now->modified, looked);
  changed_ = std::max(changed_, looked);
  last_modified_ = std::max(last_modified_, looked);
}

LiveView LiveInode::MakeView() {
  LiveView view;
  view.size = size();
  view.modified = modified_;
  view.changed = changed_;
  view.last_modified = last_modified_;
  view.content_stamp = content_stamp_;
  view.dirty = dirty();
  view.taken = taken_;
  view.writable_passthrough = live_blob_ != nullptr || mapped_blob_.valid();
  if (live_blob_ || mapped_blob_.valid()) {
    view.allocated = seen_.allocated;
  } else if (!shown_blob_id_.valid()) {
    view.allocated = (stored_ + 511) / 512 * 512;
  } else if (shown_blob_) {
    if (const auto now = shown_blob_->Figures(); now.ok()) view.allocated = now->allocated;
  } else {
    const auto now = core_.blobs->Find(shown_blob_id_);
    if (now.ok() && *now) view.allocated = (*now)->allocated;
  }
  if (rewritten_) {
    observed_ = true;
    InodeRecord record;
    record.content_stamp = content_stamp_;
    view.etag = EtagText(id_, record);
  }
  return view;
}

std::optional<LiveView> LiveInode::View() {
  std::lock_guard figures(figures_mutex_);
  RefreshFromBlob();
  if (!rewritten_ && !live_blob_ && !mapped_blob_.valid()) return std::nullopt;
  return MakeView();
}

Result<ContentView> LiveInode::OpenContent(InodeRecord& record) {
  std::unique_lock lock(io_);
  AMPHORA_TRY(place_ == Place::kBlob ? OpenBlob() : Load());
  ContentView view;
  bool still = true;
  if (place_ == Place::kMemory) {
    view.inline_bytes = memory_;
  } else if (place_ == Place::kExtents) {
    view.extents = extents_;
    PinForReader(table_, view);
  } else if (mode_ == AccessMode::kPassthrough && core_.blobs->CanReflink()) {
    // A handle may write past us now or, a reader's inode having one backing file only, later.
    AMPHORA_ASSIGN(const BlobFigures figures, blob_->Figures());
    AMPHORA_ASSIGN(view.blob, core_.blobs->Clone(*blob_, figures.size));
    // Without a name at once, so that a crash leaves nothing.
    AMPHORA_TRY(core_.blobs->Remove(view.blob->id()));
    AMPHORA_ASSIGN(const BlobFigures cloned, view.blob->Figures());
    view.size = cloned.size;
    still = false;
  } else if (writers_ > 0 && !core_.blobs->CanReflink()) {
    view.blob = blob_;
    view.may_change = true;
  } else if (passthrough_written_) {
    view.blob = blob_;
    view.may_change = true;  // by a mapping
  } else {
    view.blob = blob_;
    PinForReader(table_.pins(), blob_id_, view);
    owned_ = false;  // the next write looks at the pins
  }
  std::lock_guard figures(figures_mutex_);
  RefreshFromBlob();
  if (still) view.size = size();
  // Also when only the caller's row is behind: this inode may have become live after another
  // settle. A newer stamp of one inode always comes from POSIX, so there is no digest to show.
  if (content_stamp_ > record.content_stamp) {
    record.size = view.size;
    record.modified = modified_;
    record.changed = std::max(record.changed, changed_);
    record.last_modified = last_modified_;
    record.content_stamp = content_stamp_;
    record.ForgetDigests();
    observed_ = true;
  }
  record.size = view.size;
  return view;
}

}  // namespace amphora::fs
