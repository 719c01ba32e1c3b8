// What operations outside fs/data ask of live inodes: figures over rows, content for readers,
// handles.
#include <algorithm>
#include <set>

#include "fs/core.h"
#include "fs/data/blob_pins.h"
#include "fs/data/extents.h"
#include "fs/data/live_inode.h"
#include "fs/data/live_table.h"

namespace amphora::fs {
namespace {

constexpr int kContentAttempts = 16;

// What was known of content that somebody has changed since.
void ForgetParts(ObjectInfo& info) {
  info.checksum.reset();
  info.parts = 0;
  info.part_runs.clear();
}

}  // namespace

void PinForReader(BlobPins& pins, BlobId blob, ContentView& view) {
  view.pin = pins.PinForSending(blob);
  view.buffered = !view.pin;
  if (!view.pin) view.pin = pins.Pin(blob);
}

void PinForReader(LiveTable& table, ContentView& view) {
  view.extent_pins = PinBlobs(table.keeps(), view.extents);
  std::set<BlobId> blobs;
  for (const ExtentRecord& extent : view.extents) blobs.insert(extent.blob);
  for (const BlobId blob : blobs) {
    ContentView one;
    PinForReader(table.pins(), blob, one);
    view.buffered |= one.buffered;
    view.extent_pins.push_back(std::move(one.pin));
  }
}

std::optional<LiveView> LiveTable::View(InodeId inode) {
  const auto live = Peek(inode);
  return live ? live->View() : std::nullopt;
}

// Both at one moment: what leaves the one is in the other before.
std::pair<std::shared_ptr<LiveInode>, std::optional<LiveTable::Settled>> LiveTable::Look(
    InodeId inode) const {
  const Shard& shard = ShardOf(inode);
  std::lock_guard lock(shard.mutex);
  std::pair<std::shared_ptr<LiveInode>, std::optional<Settled>> answer;
  if (const auto found = shard.entries.find(inode); found != shard.entries.end()) {
    answer.first = found->second.live;
  }
  if (const auto found = shard.recent.find(inode); found != shard.recent.end()) {
    answer.second = found->second;
  }
  return answer;
}

void LiveTable::Overlay(Attributes& attributes) {
  if (attributes.kind != FileKind::kRegular) return;
  const auto [live, settled] = Look(attributes.inode);
  const auto view = live ? live->View() : std::nullopt;
  if (view) {
    attributes.size = view->size;
    if (view->allocated) attributes.allocated = *view->allocated;
    if (view->dirty || view->changed > attributes.changed) {
      attributes.modified = view->modified;
      attributes.changed = std::max(attributes.changed, view->changed);
    }
    attributes.permissions &= ~view->taken;
    if (view->writable_passthrough) attributes.cacheable = false;
    return;
  }
  if (!settled || settled->changed <= attributes.changed) return;
  attributes.size = settled->size;
  if (settled->allocated) attributes.allocated = *settled->allocated;
  attributes.modified = settled->modified;
  attributes.changed = settled->changed;
  attributes.permissions &= ~settled->taken;
}

void LiveTable::Overlay(ObjectInfo& info) {
  if (info.kind != FileKind::kRegular) return;
  const auto [live, settled] = Look(info.inode);
  if (const auto view = live ? live->View() : std::nullopt) {
    if (view->etag.empty()) return;
    info.size = view->size;
    info.etag = view->etag;
    info.last_modified = std::max(info.last_modified, view->last_modified);
    info.modified = view->modified;
    ForgetParts(info);
    return;
  }
  if (!settled || settled->last_modified <= info.last_modified) return;
  InodeRecord record;
  record.content_stamp = settled->content_stamp;
  info.size = settled->size;
  info.etag = EtagText(info.inode, record);
  info.last_modified = settled->last_modified;
  info.modified = settled->modified;
  ForgetParts(info);
}

// Held, so that no other LiveInode of this inode can come into being and write; a writer that comes
// later looks at the pins that `otherwise` took.
std::shared_ptr<LiveInode> LiveTable::HoldLive(InodeId inode,
                                               const std::function<void()>& otherwise) {
  Shard& shard = ShardOf(inode);
  std::unique_lock lock(shard.mutex);
  for (;;) {
    const auto found = shard.entries.find(inode);
    if (found == shard.entries.end() || !found->second.live) break;
    if (!found->second.Busy()) {
      ++found->second.holds;
      return Wrap(found->second.live);
    }
    shard.changed.wait(lock);
  }
  otherwise();
  return nullptr;
}

// Pinned first, looked at again then: whoever frees the blobs later sees the pins. kStale: freed
// meanwhile.
Status LiveTable::PinExtents(InodeId inode, const InodeRecord& record, ContentView& view) {
  auto extents = ReadExtents(core_.store->Newest(), inode);
  if (extents.ok()) {
    view.extents = std::move(*extents);
    PinForReader(*this, view);
  }
  AMPHORA_ASSIGN(const auto now, ReadInode(core_.store->Newest(), inode));
  const bool same =
      now && now->content == ContentKind::kExtents && now->content_stamp == record.content_stamp;
  if (!same) return Error(ErrorCode::kStale, "the content was replaced");
  return extents.ok() ? Ok() : Status(extents.error());
}

Result<ContentView> LiveTable::OpenContent(InodeId inode, InodeRecord& record) {
  for (int attempt = 0; attempt < kContentAttempts; ++attempt) {
    ContentView view;
    const auto live = HoldLive(inode, [&] {
      if (record.content == ContentKind::kBlob) PinForReader(pins(), record.blob, view);
    });
    if (live) return live->OpenContent(record);
    view.size = record.size;
    Status opened = Ok();
    if (record.content == ContentKind::kBlob) {
      auto blob = core_.blobs->Open(record.blob);
      if (blob.ok()) {
        view.blob = std::move(*blob);
      } else {
        opened = blob.error();
      }
    } else if (record.content == ContentKind::kExtents) {
      opened = PinExtents(inode, record, view);
    } else if (record.content == ContentKind::kInline) {
      AMPHORA_ASSIGN(auto bytes, core_.store->Newest().Get(Table::kContent, ContentKey(inode)));
      if (bytes) {
        view.inline_bytes = std::move(*bytes);
      } else {
        opened = Error(ErrorCode::kCorrupt, "inline content is missing");
      }
    }
    const auto settled = RecentlySettled(inode);
    const bool outdated = settled && settled->content_stamp > record.content_stamp;
    // A blob that was let go between the look at the row and the pin may be another's alone by now,
    // who writes into it: so the row is looked at once more.
    if (opened.ok() && !outdated && !view.blob) return view;
    AMPHORA_ASSIGN(auto newest, ReadInode(core_.store->Newest(), inode));
    if (!newest) return Error(ErrorCode::kNotFound, "inode");
    // The same row, and its content is not there: that is no race.
    const bool same = newest->content_stamp == record.content_stamp &&
                      newest->content == record.content && newest->blob == record.blob;
    if (same && !opened.ok()) return opened.error();
    if (same && !outdated) return view;
    record = std::move(*newest);
  }
  return Error(ErrorCode::kBusy, "content changes without end");
}

Result<std::shared_ptr<FileHandle>> OpenHandle(Core& core, std::shared_ptr<LiveInode> live,
                                               const Caller& caller, const OpenOptions& options,
                                               Freshness fresh) {
  AMPHORA_ASSIGN(const AccessMode mode, live->AddHandle(caller, options, fresh));
  return std::make_shared<FileHandle>(core, std::move(live), caller, options, mode);
}

Status TruncateInode(Core& core, const Caller& caller, InodeId inode,
                     const Truncation& truncation) {
  AMPHORA_ASSIGN(const auto live, core.live->Acquire(inode));
  LiveInode::Writer writer{.origin = caller.origin};
  if (truncation.kill_privileges) writer.privileges = Privileges::kLost;
  writer.membership = truncation.membership;
  AMPHORA_TRY(truncation.by_handle ? live->Truncate(truncation.size, writer)
                                   : live->Resize(truncation.size, writer));
  return live->Settle(SettleFor::kBackground);
}

Status SettleInode(Core& core, InodeId inode) { return core.live->Settle(inode); }

void RowChanged(Core& core, InodeId inode) {
  core.live->NoteCommit(inode, core.store->LastTicket());
}

}  // namespace amphora::fs
