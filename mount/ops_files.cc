// The bytes of open files that come to the daemon: in daemon mode, and what passthrough leaves to
// it.
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "mount/convert.h"
#include "mount/membership.h"
#include "mount/ops.h"
#include "mount/reply.h"

namespace amphora::mount {
namespace {

// From this size on a transfer would keep an io_uring queue's CPU busy for too long.
constexpr std::size_t kLargeTransfer = 256 << 10;

std::shared_ptr<fs::FileHandle> HandleOf(const fuse_file_info* info) { return FileOf(info).handle; }

// Where to read into: the ring's own buffer, or one that this thread keeps.
std::span<char> BufferFor(fuse_req_t request, std::size_t size) {
  char* payload = nullptr;
  std::size_t room = 0;
  if (fuse_req_is_uring(request) && fuse_req_get_payload(request, &payload, &room, nullptr) == 0 &&
      room >= size) {
    return {payload, size};
  }
  thread_local std::vector<char> buffer;
  if (buffer.size() < size) buffer.resize(size);
  return {buffer.data(), size};
}

void ReadNow(fuse_req_t request, fs::FileHandle& handle, std::size_t size, off_t offset) {
  const std::span<char> buffer = BufferFor(request, size);
  const auto read = handle.Read(static_cast<std::uint64_t>(offset), std::as_writable_bytes(buffer));
  PauseBeforeReply("mount.read.reply");
  if (read.ok()) {
    ReplyBytes(request, buffer.data(), *read);
  } else {
    ReplyError(request, read.error());
  }
}

void Read(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  if (size < kLargeTransfer || !fuse_req_is_uring(request)) {
    ReadNow(request, *FileOf(info).handle, size, offset);
    return;
  }
  ContextOf(request).pool.Run(request, [request, handle = HandleOf(info), size, offset] {
    ReadNow(request, *handle, size, offset);
  });
}

// Where a WRITE request goes, and on whose behalf.
struct Writing {
  off_t offset = 0;
  bool kill_privileges = false;
  bool from_pages = false;  // of a mapping: the kernel writes back through any handle that it has
};

void WriteNow(fuse_req_t request, fs::FileHandle& handle, std::span<const char> bytes,
              const Writing& writing) {
  const auto written =
      handle.Write(static_cast<std::uint64_t>(writing.offset), std::as_bytes(bytes),
                   writing.kill_privileges ? MembershipOf(request) : fs::MembershipSource(),
                   writing.from_pages ? fs::WriteSource::kMappedPages : fs::WriteSource::kCall);
  if (written.ok()) {
    ReplyWritten(request, *written);
  } else {
    ReplyError(request, written.error());
  }
}

void Write(fuse_req_t request, fuse_ino_t, const char* bytes, std::size_t size, off_t offset,
           fuse_file_info* info) {
  const bool uring = fuse_req_is_uring(request);
  const Writing writing{offset, info->kill_suidgid != 0, info->writepage != 0};
  const std::shared_ptr<fs::FileHandle>& handle = FileOf(info).handle;
  if (!handle->WriteMayWait() && !(uring && size >= kLargeTransfer)) {
    WriteNow(request, *handle, {bytes, size}, writing);
    return;
  }
  // A ring's buffer belongs to its request until the reply; the classic queue's to this thread.
  std::vector<char> copy;
  if (!uring) copy.assign(bytes, bytes + size);
  ContextOf(request).pool.Run(
      request, [request, handle, bytes, size, copy = std::move(copy), writing] {
        WriteNow(request, *handle, {copy.empty() ? bytes : copy.data(), size}, writing);
      });
}

// What a process locked goes with any of its descriptors (fcntl(2)), and not before what it wrote
// can be seen.
void FlushNow(fuse_req_t request, fs::FileHandle& handle, const fs::LockOwner& owner) {
  Context& context = ContextOf(request);
  const Status flushed = handle.Flush();
  if (context.options.shared_locks) context.engine.locks().DropRecords(handle.inode(), owner);
  ReplyStatus(request, flushed);
}

void Flush(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  const fs::LockOwner owner = LockOwnerOf(ContextOf(request), *info);
  fs::FileHandle& handle = *FileOf(info).handle;
  if (!handle.FlushMayWait()) {
    FlushNow(request, handle, owner);
    return;
  }
  ContextOf(request).pool.Run(
      request, [request, owner, handle = HandleOf(info)] { FlushNow(request, *handle, owner); });
}

void Sync(fuse_req_t request, fuse_ino_t, int, fuse_file_info* info) {
  ContextOf(request).pool.Run(
      request, [request, handle = HandleOf(info)] { ReplyStatus(request, handle->Sync()); });
}

void Allocate(fuse_req_t request, fuse_ino_t, int mode, off_t offset, off_t length,
              fuse_file_info* info) {
  const auto wanted = ToAllocateMode(mode);
  if (!wanted || offset < 0 || length <= 0) {
    ReplyErrno(request, wanted ? EINVAL : EOPNOTSUPP);
    return;
  }
  ContextOf(request).pool.Run(request, [request, handle = HandleOf(info), wanted, offset, length] {
    ReplyStatus(request,
                handle->Allocate(*wanted, static_cast<std::uint64_t>(offset),
                                 static_cast<std::uint64_t>(length), MembershipOf(request)));
  });
}

void Seek(fuse_req_t request, fuse_ino_t, off_t offset, int whence, fuse_file_info* info) {
  if (whence != SEEK_DATA && whence != SEEK_HOLE) {
    ReplyErrno(request, EINVAL);
    return;
  }
  const auto target = whence == SEEK_DATA ? fs::SeekTarget::kData : fs::SeekTarget::kHole;
  const auto found = FileOf(info).handle->Seek(target, static_cast<std::uint64_t>(offset));
  if (found.ok()) {
    ReplySeek(request, static_cast<off_t>(*found));
  } else {
    ReplyError(request, found.error());
  }
}

void CopyRange(fuse_req_t request, fuse_ino_t, off_t offset, fuse_file_info* info, fuse_ino_t,
               off_t target_offset, fuse_file_info* target_info, std::size_t length, int flags) {
  if (flags != 0) {
    ReplyErrno(request, EINVAL);
    return;
  }
  ContextOf(request).pool.Run(request, [request, source = HandleOf(info), offset,
                                        target = HandleOf(target_info), target_offset, length] {
    // The reply's field is 32 bits wide; the caller goes on where a short copy ends.
    constexpr std::uint64_t kMost = 1u << 31;
    const auto copied = source->CopyTo(
        static_cast<std::uint64_t>(offset), *target, static_cast<std::uint64_t>(target_offset),
        std::min<std::uint64_t>(length, kMost), MembershipOf(request));
    if (copied.ok()) {
      ReplyWritten(request, *copied);
    } else {
      ReplyError(request, copied.error());
    }
  });
}

}  // namespace

void AddFileOperations(fuse_lowlevel_ops& operations) {
  operations.read = Counted<Read, MountOperation::kRead>::Call;
  operations.write = Counted<Write, MountOperation::kWrite>::Call;
  operations.flush = Counted<Flush, MountOperation::kFlush>::Call;
  operations.fsync = Counted<Sync, MountOperation::kFsync>::Call;
  operations.fallocate = Counted<Allocate, MountOperation::kFallocate>::Call;
  operations.lseek = Counted<Seek, MountOperation::kLseek>::Call;
  operations.copy_file_range = Counted<CopyRange, MountOperation::kCopyFileRange>::Call;
}

}  // namespace amphora::mount
