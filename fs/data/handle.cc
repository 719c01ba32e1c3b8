// An open file over its live inode.
#include "fs/handle.h"

#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/data/live_inode.h"
#include "fs/data/space_guard.h"
#include "fs/ops/attributes.h"

namespace amphora::fs {

FileHandle::FileHandle(Core& core, std::shared_ptr<LiveInode> live, const Caller& caller,
                       const OpenOptions& options, AccessMode mode)
    : core_(core),
      live_(std::move(live)),
      inode_(live_->id()),
      caller_(caller),
      options_(options),
      mode_(mode) {}

FileHandle::~FileHandle() { Release(); }

InodeId FileHandle::inode() const { return inode_; }

int FileHandle::backing_fd() const {
  return mode_ == AccessMode::kPassthrough ? live_->backing_fd() : -1;
}

bool FileHandle::comes_to_daemon() const {
  return mode_ == AccessMode::kPassthrough && options_.write && live_->limited();
}

bool FileHandle::keep_cache() const {
  return mode_ == AccessMode::kDaemon && live_->KeepsCache(caller_.origin);
}

Result<std::size_t> FileHandle::Read(std::uint64_t offset, std::span<std::byte> buffer) {
  return live_->Read(offset, buffer);
}

Result<std::size_t> FileHandle::Write(std::uint64_t offset, std::span<const std::byte> data,
                                      const MembershipSource& unprivileged,
                                      WriteSource source) {
  AMPHORA_TRY(core_.space->Admit(data.size()));
  const LiveInode::Writer writer{.origin = caller_.origin,
                                 .append = options_.append && source == WriteSource::kCall,
                                 .privileges = unprivileged ? Privileges::kLost : Privileges::kKept,
                                 .membership = &unprivileged};
  AMPHORA_ASSIGN(const std::size_t written, live_->Write(offset, data, writer));
  if (options_.sync) AMPHORA_TRY(live_->Sync());
  return written;
}

Status FileHandle::Flush() {
  if (!options_.write) return Ok();
  AMPHORA_TRY(live_->Settle(SettleFor::kClose));
  // A shell closes a descriptor of an empty file before the program that writes it has begun.
  return live_->size() > 0 ? live_->Publish() : Ok();
}

Status FileHandle::Publish() { return options_.write ? live_->Publish() : Ok(); }

bool FileHandle::FlushMayWait() const { return options_.write && live_->FlushMayWait(); }

bool FileHandle::WriteMayWait() const { return options_.sync || live_->WriteMayWait(); }

Status FileHandle::Sync() {
  AMPHORA_TRY(live_->Sync());
  if (!options_.write || !live_->unpublished()) return Ok();
  // What S3 is shown is on the disk; that it is shown shall be, too.
  AMPHORA_TRY(live_->Publish());
  return live_->Sync();
}

Status FileHandle::Allocate(AllocateMode mode, std::uint64_t offset, std::uint64_t length,
                            const MembershipSource& caller) {
  if (mode == AllocateMode::kKeepSize || mode == AllocateMode::kExtend) {
    AMPHORA_TRY(core_.space->Admit(length));
  }
  const LiveInode::Writer writer{.origin = caller_.origin,
                                 .privileges = caller ? Privileges::kUnknown : Privileges::kKept,
                                 .membership = &caller};
  AMPHORA_TRY(live_->Allocate(mode, offset, length, writer));
  return options_.sync ? live_->Sync() : Ok();
}

Result<std::uint64_t> FileHandle::Seek(SeekTarget target, std::uint64_t offset) {
  return live_->Seek(target, offset);
}

Result<std::uint64_t> FileHandle::CopyTo(std::uint64_t offset, FileHandle& target,
                                         std::uint64_t target_offset, std::uint64_t length,
                                         const MembershipSource& caller) {
  AMPHORA_TRY(core_.space->Admit(0));  // may share: how much it will take is not known here
  const LiveInode::Writer writer{.origin = target.caller_.origin,
                                 .privileges = caller ? Privileges::kUnknown : Privileges::kKept,
                                 .membership = &caller};
  AMPHORA_ASSIGN(const std::uint64_t copied,
                 LiveInode::Copy(*live_, offset, *target.live_, target_offset, length, writer));
  if (target.options_.sync) AMPHORA_TRY(target.live_->Sync());
  return copied;
}

Attributes FileHandle::GetAttributes() {
  const auto record = ReadInode(core_.store->Newest(), inode_);
  if (record.ok() && *record) {
    const auto attributes = ReadAttributes(core_, core_.store->Newest(), inode_, **record);
    if (attributes.ok()) return *attributes;
  }
  // The row can't be read: what is known without it.
  Attributes attributes;
  attributes.inode = inode_;
  attributes.kind = FileKind::kRegular;
  attributes.size = live_->size();
  attributes.cacheable = false;
  core_.live->Overlay(attributes);
  return attributes;
}

void FileHandle::Release() {
  if (released_.exchange(true)) return;
  live_->RemoveHandle(options_);
  live_.reset();
}

}  // namespace amphora::fs
