// The bytes of a live inode: reading, writing, truncating, and where content lives.
#include "fs/data/live_inode.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "fs/bucket_states.h"
#include "fs/core.h"
#include "fs/data/extents.h"
#include "fs/data/live_table.h"
#include "meta/base/log.h"
#include "meta/base/log_limit.h"

namespace amphora::fs {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::numeric_limits<std::int64_t>::max();

}  // namespace

LiveInode::LiveInode(Core& core, LiveTable& table, InodeId inode, const InodeRecord& record)
    : core_(core),
      table_(table),
      id_(inode),
      bucket_(record.bucket),
      charge_(core.bucket_states->Find(record.bucket), record.size),
      place_(PlaceOf(record.content)),
      loaded_(record.content == ContentKind::kEmpty),
      blob_id_(record.blob),
      committed_{record.content, record.blob, record.size},
      last_ticket_(core.store->LastTicket()),
      size_(record.size),
      modified_(record.modified),
      changed_(record.changed),
      last_modified_(record.last_modified),
      content_stamp_(record.content_stamp),
      permissions_(record.permissions),
      stored_(place_ == Place::kExtents || record.content == ContentKind::kInline ? record.size
                                                                                  : 0),
      shown_blob_id_(blob_id_) {
  unpublished_.store(record.unpublished);
}

LiveInode::~LiveInode() { LeaveBlob(); }

LiveInode::Place LiveInode::PlaceOf(ContentKind content) {
  switch (content) {
    case ContentKind::kEmpty:
    case ContentKind::kInline:
      return Place::kMemory;
    case ContentKind::kBlob:
      return Place::kBlob;
    case ContentKind::kExtents:
      return Place::kExtents;
  }
  return Place::kMemory;
}

Status LiveInode::Load() {
  if (loaded_) return Ok();
  if (place_ == Place::kExtents) {
    AMPHORA_ASSIGN(extents_, ReadExtents(core_.store->Newest(), id_));
    loaded_ = true;
    return Ok();
  }
  AMPHORA_ASSIGN(auto bytes, core_.store->Newest().Get(Table::kContent, ContentKey(id_)));
  if (!bytes) return Error(ErrorCode::kCorrupt, "inline content is missing");
  memory_ = std::move(*bytes);
  loaded_ = true;
  return Ok();
}

Status LiveInode::OpenBlob() {
  if (blob_) return Ok();
  AMPHORA_ASSIGN(auto blob, core_.blobs->Open(blob_id_));
  SetBlob(std::move(blob));
  return Ok();
}

void LiveInode::SetBlob(std::shared_ptr<Blob> blob) {
  std::lock_guard figures(figures_mutex_);
  blob_ = std::move(blob);
  shown_blob_ = blob_;
  shown_blob_id_ = place_ == Place::kBlob ? blob_id_ : BlobId();
}

void LiveInode::LeaveBlob() {
  if (place_ != Place::kBlob) return;
  const bool uncommitted = blob_id_ != committed_.blob;
  place_ = Place::kMemory;
  SetBlob(nullptr);
  if (uncommitted) {
    const Status removed = core_.blobs->Remove(blob_id_);
    // Start-up would find it among the unsettled ids.
    if (!removed.ok()) {
      LogLimited(LogLevel::kWarning, "event=blob_left",
                 "event=blob_left " + removed.error().ToString());
    }
  }
  blob_id_ = BlobId();
  owned_ = false;
}

void LiveInode::AdoptBlob(std::shared_ptr<Blob> blob) {
  LeaveBlob();
  place_ = Place::kBlob;
  blob_id_ = blob->id();
  SetBlob(std::move(blob));
  owned_ = true;
  writes_ = 1;
  synced_ = copied_ = 0;
  memory_ = std::string();
  extents_.clear();
}

Status LiveInode::MoveToBlob() {
  AMPHORA_TRY(Load());
  AMPHORA_ASSIGN(auto blob, core_.blobs->Take());
  Status filled = Ok();
  if (!memory_.empty()) filled = blob->Write(0, std::as_bytes(std::span(memory_)));
  if (filled.ok() && memory_.size() < size()) filled = blob->Truncate(size());
  if (!filled.ok()) {
    (void)core_.blobs->Remove(blob->id());
    return filled;
  }
  const bool committed_bytes = committed_.content != ContentKind::kEmpty && !memory_.empty();
  AdoptBlob(std::move(blob));
  if (committed_bytes) copied_ = writes_;
  return Ok();
}

Status LiveInode::CopyUp() {
  AMPHORA_TRY(OpenBlob());
  AMPHORA_ASSIGN(auto clone, core_.blobs->Clone(*blob_, size()));
  AdoptBlob(std::move(clone));
  copied_ = writes_;
  return Ok();
}

Status LiveInode::JoinHeld() {
  AMPHORA_TRY(Load());
  AMPHORA_ASSIGN(auto joined, JoinExtents(core_, extents_, [] { return true; }));
  AdoptBlob(std::move(joined));
  copied_ = writes_;
  return Ok();
}

Result<bool> LiveInode::IsShareable() {
  if (table_.pins().IsPinned(blob_id_)) return false;
  if (blob_id_ != committed_.blob) return true;
  AMPHORA_ASSIGN(const auto bytes, core_.store->Newest().Get(Table::kRows, BlobKey(blob_id_)));
  if (!bytes) return Error(ErrorCode::kCorrupt, "a blob without references is referred to");
  AMPHORA_ASSIGN(const BlobRecord record, DecodeBlob(*bytes));
  return record.references == 1;
}

Status LiveInode::PrepareInPlace() {
  if (place_ == Place::kExtents) AMPHORA_TRY(JoinHeld());
  AMPHORA_TRY(OpenBlob());
  if (mode_ == AccessMode::kPassthrough && core_.blobs->IsPoisoned(blob_id_)) {
    return Error(ErrorCode::kPoisoned, "an earlier sync of this content failed");
  }
  if (!owned_) {
    AMPHORA_ASSIGN(const bool alone, IsShareable());
    if (!alone && mode_ != AccessMode::kPassthrough) return CopyUp();
    if (!alone) {
      AMPHORA_ASSIGN(auto copy, DurableCopy(*blob_));
      AMPHORA_TRY(SplitHeld(std::move(copy)));
    }
    owned_ = true;
  }
  if (blob_id_ == committed_.blob && !open_row_.load()) return CommitOpenRow();
  return Ok();
}

Result<std::size_t> LiveInode::ReadHeld(std::uint64_t offset, std::span<std::byte> buffer) {
  if (place_ == Place::kBlob) return blob_->Read(offset, buffer);
  if (place_ == Place::kExtents) return ReadFromExtents(core_, extents_, offset, buffer);
  const std::uint64_t end = size();
  if (offset >= end) return std::size_t{0};
  const std::size_t length = std::min<std::uint64_t>(buffer.size(), end - offset);
  std::size_t kept = 0;
  if (offset < memory_.size()) {
    kept = std::min<std::size_t>(length, memory_.size() - offset);
    std::memcpy(buffer.data(), memory_.data() + offset, kept);
  }
  if (kept < length) std::memset(buffer.data() + kept, 0, length - kept);
  return length;
}

Result<std::size_t> LiveInode::Read(std::uint64_t offset, std::span<std::byte> buffer) {
  {
    std::shared_lock lock(io_);
    if (place_ == Place::kBlob ? blob_ != nullptr : loaded_) return ReadHeld(offset, buffer);
  }
  std::unique_lock lock(io_);
  AMPHORA_TRY(place_ == Place::kBlob ? OpenBlob() : Load());
  return ReadHeld(offset, buffer);
}

Status LiveInode::WriteHeld(std::uint64_t offset, std::span<const std::byte> data) {
  const std::uint64_t end = offset + data.size();
  if (place_ == Place::kMemory) {
    if (std::max(end, size()) <= core_.options.inline_limit) {
      AMPHORA_TRY(Load());
      if (memory_.size() < end) memory_.resize(end);
      std::memcpy(memory_.data() + offset, data.data(), data.size());
      return Ok();
    }
    AMPHORA_TRY(MoveToBlob());
  }
  AMPHORA_TRY(PrepareInPlace());
  ++writes_;
  return blob_->Write(offset, data);
}

Result<bool> LiveInode::HasPrivileges() {
  {
    std::lock_guard figures(figures_mutex_);
    if (permissions_) return (*permissions_ & (S_ISUID | S_ISGID) & ~taken_) != 0;
  }
  AMPHORA_ASSIGN(const auto record, ReadInode(core_.store->Newest(), id_));
  if (!record) return false;
  std::lock_guard figures(figures_mutex_);
  permissions_ = record->permissions;
  return (*permissions_ & (S_ISUID | S_ISGID) & ~taken_) != 0;
}

Result<std::uint32_t> LiveInode::PrivilegesTaken(const Writer& writer) {
  if (writer.privileges == Privileges::kKept) return 0;
  AMPHORA_ASSIGN(const bool privileged, HasPrivileges());
  if (!privileged) return 0;
  AMPHORA_ASSIGN(const auto record, ReadInode(core_.store->Newest(), id_));
  if (!record) return 0;
  std::uint32_t standing = record->permissions;
  {
    std::lock_guard figures(figures_mutex_);
    standing &= ~taken_;
  }
  return TakenPrivileges(standing, record->gid, writer.privileges, writer.membership);
}

Change LiveInode::AttributesChange() const {
  // To every kernel, the writer's too: it does not know what its write took away.
  return {.what = Change::What::kAttributes,
          .inode = id_,
          .name = {},
          .old_inode = {},
          .bucket = bucket_,
          .origin = {}};
}

void LiveInode::NoteFailedWrite(const Writer& writer) {
  charge_.Trim(size());
  if (place_ != Place::kBlob) return;
  if (mode_ != AccessMode::kPassthrough && blob_) {
    const Status cut = blob_->Truncate(size());
    if (!cut.ok()) {
      LogLimited(LogLevel::kError, "event=blob_too_long",
                 "event=blob_too_long " + cut.error().ToString());
    }
  }
  NoteWrite(writer, size());
}

Result<std::size_t> LiveInode::Write(std::uint64_t offset, std::span<const std::byte> data,
                                     const Writer& writer) {
  Writer change = writer;
  {
    std::unique_lock lock(io_);
    if (writer.append) {
      std::lock_guard figures(figures_mutex_);
      RefreshFromBlob();
      offset = size();
    }
    if (offset > kMaxFileBytes || data.size() > kMaxFileBytes - offset) {
      return Error(ErrorCode::kFileTooLarge, "offset");
    }
    if (data.empty()) return std::size_t{0};
    if (offset + data.size() > size()) {
      // As much as the quota has room for, as on a disk that is full.
      AMPHORA_ASSIGN(const std::uint64_t end,
                     charge_.Grow(std::max(offset, size()), offset + data.size()));
      data = data.first(end - offset);
    }
    AMPHORA_ASSIGN(change.takes, PrivilegesTaken(writer));
    const Status written = WriteHeld(offset, data);
    if (!written.ok()) {
      NoteFailedWrite(change);
      return written.error();
    }
    NoteWrite(change, std::max(size(), offset + data.size()));
  }
  if (change.takes != 0) core_.Publish({AttributesChange()});
  return data.size();
}

Status LiveInode::TruncateHeld(std::uint64_t new_size) {
  const bool in_passthrough = mode_ == AccessMode::kPassthrough;
  if (place_ == Place::kBlob && new_size == 0 && !in_passthrough) {
    LeaveBlob();
    loaded_ = true;
  }
  if (place_ == Place::kExtents && new_size == 0) {
    place_ = Place::kMemory;
    extents_.clear();
  }
  if (place_ == Place::kMemory) {
    if (new_size == 0) {
      memory_.clear();
      loaded_ = true;
      return Ok();
    }
    const bool bytes = !loaded_ || !memory_.empty();
    if (new_size < size() && bytes) {
      AMPHORA_TRY(Load());
      if (memory_.size() > new_size) memory_.resize(new_size);
      return Ok();
    }
    if (!bytes || new_size <= core_.options.inline_limit) return Ok();
    AMPHORA_TRY(MoveToBlob());
  }
  AMPHORA_TRY(PrepareInPlace());
  ++writes_;
  return blob_->Truncate(new_size);
}

Status LiveInode::Truncate(std::uint64_t size, const Writer& writer) {
  if (size > kMaxFileBytes) return Error(ErrorCode::kFileTooLarge, "size");
  Writer change = writer;
  {
    std::unique_lock lock(io_);
    AMPHORA_ASSIGN(change.takes, PrivilegesTaken(writer));
    if (size > this->size()) AMPHORA_TRY(charge_.GrowAll(size));
    const Status truncated = TruncateHeld(size);
    if (!truncated.ok()) {
      charge_.Trim(this->size());
      return truncated;
    }
    if (size < committed_.size) replaced_ = true;
    NoteWrite(change, size);
    charge_.Trim(size);
  }
  if (change.takes != 0) core_.Publish({AttributesChange()});
  return Ok();
}

Status LiveInode::Resize(std::uint64_t size, const Writer& writer) {
  {
    std::unique_lock lock(io_);
    {
      std::lock_guard figures(figures_mutex_);
      RefreshFromBlob();
    }
    AMPHORA_ASSIGN(const std::uint32_t takes, PrivilegesTaken(writer));
    // Of what is empty already XFS does not even take setuid away.
    if (size == this->size() && (takes == 0 || size == 0)) return Ok();
  }
  return Truncate(size, writer);
}

Status LiveInode::ZeroMemory(std::uint64_t offset, std::uint64_t length) {
  AMPHORA_TRY(Load());
  if (offset >= memory_.size()) return Ok();
  const std::size_t count = std::min<std::uint64_t>(length, memory_.size() - offset);
  std::memset(memory_.data() + offset, 0, count);
  return Ok();
}

Status LiveInode::AllocateHeld(AllocateMode mode, std::uint64_t offset, std::uint64_t length) {
  const bool cuts = mode == AllocateMode::kPunch || mode == AllocateMode::kZero ||
                    mode == AllocateMode::kZeroKeepSize;
  if (place_ == Place::kMemory) {
    // Room in memory needs no reservation. Beyond it, a reservation is worth a blob; a hole is not.
    if (mode == AllocateMode::kPunch) return ZeroMemory(offset, length);
    if (std::max(offset + length, size()) <= core_.options.inline_limit) {
      return cuts ? ZeroMemory(offset, length) : Ok();
    }
    AMPHORA_TRY(MoveToBlob());
  }
  AMPHORA_TRY(PrepareInPlace());
  ++writes_;
  switch (mode) {
    case AllocateMode::kExtend:
      return blob_->Allocate(offset, length, false);
    case AllocateMode::kKeepSize:
      return blob_->Allocate(offset, length, true);
    case AllocateMode::kPunch:
      return blob_->Punch(offset, length);
    case AllocateMode::kZero:
      return blob_->Zero(offset, length, false);
    case AllocateMode::kZeroKeepSize:
      return blob_->Zero(offset, length, true);
  }
  return Error(ErrorCode::kInvalidArgument, "fallocate mode");
}

Status LiveInode::Allocate(AllocateMode mode, std::uint64_t offset, std::uint64_t length,
                           const Writer& writer) {
  if (length == 0) return Error(ErrorCode::kInvalidArgument, "fallocate length");
  if (offset > kMaxFileBytes || length > kMaxFileBytes - offset) {
    return Error(ErrorCode::kFileTooLarge, "fallocate");
  }
  Writer change = writer;
  {
    std::unique_lock lock(io_);
    {
      std::lock_guard figures(figures_mutex_);
      RefreshFromBlob();
    }
    AMPHORA_ASSIGN(change.takes, PrivilegesTaken(writer));
    // What is reserved behind the end counts only once the file is as long, but must fit.
    if (mode != AllocateMode::kPunch && offset + length > size()) {
      AMPHORA_TRY(charge_.GrowAll(offset + length));
    }
    const Status allocated = AllocateHeld(mode, offset, length);
    if (!allocated.ok()) {
      NoteFailedWrite(writer);
      return allocated;
    }
    const bool grows = mode == AllocateMode::kExtend || mode == AllocateMode::kZero;
    NoteWrite(change, grows ? std::max(size(), offset + length) : size());
    charge_.Trim(size());
  }
  if (change.takes != 0) core_.Publish({AttributesChange()});
  return Ok();
}

Result<std::uint64_t> LiveInode::Seek(SeekTarget target, std::uint64_t offset) {
  std::unique_lock lock(io_);
  {
    std::lock_guard figures(figures_mutex_);
    RefreshFromBlob();
  }
  if (offset >= size()) return Error(ErrorCode::kOutOfRange, "seek");
  if (place_ == Place::kBlob) {
    AMPHORA_TRY(OpenBlob());
    return target == SeekTarget::kData ? blob_->SeekData(offset) : blob_->SeekHole(offset);
  }
  if (place_ == Place::kExtents) return target == SeekTarget::kData ? offset : size();
  // In memory: bytes are data, the tail behind them is a hole.
  const std::uint64_t data_end = loaded_ ? memory_.size() : committed_.size;
  if (target == SeekTarget::kHole) return offset < data_end ? data_end : offset;
  if (offset < data_end) return offset;
  return Error(ErrorCode::kOutOfRange, "seek");
}

void LiveInode::NoteWrite(const Writer& writer, std::uint64_t new_size) {
  std::lock_guard figures(figures_mutex_);
  MarkDirty(writer);
  size_ = new_size;
  if (place_ == Place::kMemory) stored_ = loaded_ ? memory_.size() : committed_.size;
  modified_ = changed_ = last_modified_ = Time::Now();
  if (live_blob_) {
    // What this write did to the blob's own times is known; a later change of them is somebody
    // else's.
    if (const auto now = live_blob_->Figures(); now.ok()) {
      seen_ = *now;
      size_ = now->size;
    }
    seen_at_ = Time::Now();
  }
}

}  // namespace amphora::fs
