// An open file. All handles of one inode, of every mount, share its live state: size, times and
// content while it is open, visible to every face at once. Blocking, thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "fs/types.h"

namespace amphora::fs {

class Core;
class LiveInode;

struct OpenOptions {
  bool read = true;
  bool write = false;
  bool append = false;
  bool truncate = false;
  bool exclusive = false;  // with Create: O_EXCL
  bool direct = false;     // O_DIRECT
  bool sync = false;       // O_SYNC or O_DSYNC
  bool no_access_time = false;
  bool execute = false;  // execve(2) opens it: nobody may truncate it then
  // The mount can register backing files; the handle may then answer passthrough() == true.
  bool passthrough_possible = false;
};

// How all handles of one inode reach its bytes, from the first open to the last release.
enum class AccessMode : std::uint8_t {
  kDaemon,       // read and write requests come to the engine
  kPassthrough,  // the kernel reads and writes the blob itself
};

enum class AllocateMode : std::uint8_t {
  kExtend,    // fallocate(2) mode 0
  kKeepSize,  // FALLOC_FL_KEEP_SIZE
  kPunch,     // FALLOC_FL_PUNCH_HOLE | KEEP_SIZE
  kZero,      // FALLOC_FL_ZERO_RANGE
  kZeroKeepSize,
};

enum class WriteSource : std::uint8_t { kCall, kMappedPages };

enum class SeekTarget : std::uint8_t { kData, kHole };

class FileHandle {
 public:
  // Made by OpenHandle (fs/data/live.h), which has registered it with the inode.
  FileHandle(Core& core, std::shared_ptr<LiveInode> live, const Caller& caller,
             const OpenOptions& options, AccessMode mode);
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  // Same as Release().
  ~FileHandle();

  InodeId inode() const;
  const OpenOptions& options() const { return options_; }
  AccessMode mode() const { return mode_; }
  // In passthrough, but this handle's own reads and writes must come to the engine: its bucket has
  // a quota, and readers that came first hold the inode in passthrough (hazards 1.2, 1.4).
  bool comes_to_daemon() const;
  // The blob's descriptor to register with the kernel when mode() is kPassthrough; valid until the
  // handle is released. It is open for reading and writing. Close the kernel's backing id of the
  // inode before the last handle is released: it counts as a writer of the blob.
  int backing_fd() const;
  // Whether pages that the kernel cached of this inode before this open are still right.
  bool keep_cache() const;

  // Bytes read, fewer than asked only at the end of the file.
  Result<std::size_t> Read(std::uint64_t offset, std::span<std::byte> buffer);
  // Writes all of `data`; at the end of the file when opened for append, unless the kernel writes
  // back pages that a mapping stored into. `unprivileged` is given
  // where the writer lacks CAP_FSETID: then setuid goes, and setgid where the group may execute or
  // the writer is not in it.
  Result<std::size_t> Write(std::uint64_t offset, std::span<const std::byte> data,
                            const MembershipSource& unprivileged = {},
                            WriteSource source = WriteSource::kCall);
  // close(2) of one descriptor: what was written is committed (visible to every face, survives kill
  // -9) when it returns; not durable, except after a truncation (hazards 5.5).
  Status Flush();
  // Whether Flush() or the next Write() would wait for the disk now (content that was truncated or
  // copied and must be durable first; a shared blob that is copied before its first write). A hint,
  // and cheap: a thread that must not wait asks first.
  bool FlushMayWait() const;
  bool WriteMayWait() const;
  // fsync(2) or fdatasync(2): blocks until data, and the metadata needed to find it, are durable.
  Status Sync();
  // Here and in CopyTo, `caller` says itself whether it has CAP_FSETID.
  Status Allocate(AllocateMode mode, std::uint64_t offset, std::uint64_t length,
                  const MembershipSource& caller = {});
  // kOutOfRange past the end (ENXIO).
  Result<std::uint64_t> Seek(SeekTarget target, std::uint64_t offset);
  // copy_file_range(2): bytes copied, fewer at the end of the source. Same bucket or not.
  Result<std::uint64_t> CopyTo(std::uint64_t offset, FileHandle& target,
                               std::uint64_t target_offset, std::uint64_t length,
                               const MembershipSource& caller = {});
  Attributes GetAttributes();

  // The last descriptor of a handle that writes was closed: with `publish = close` S3 sees the file
  // from now on, also an empty one. Flush and Sync do the same for one that has bytes.
  Status Publish();

  // The last reference of the kernel to this handle is gone. Idempotent. Ends nothing that a
  // mapping may still write (hazards 1.1).
  void Release();

  // Not after Release().
  LiveInode& live() { return *live_; }

 private:
  Core& core_;
  std::shared_ptr<LiveInode> live_;
  const InodeId inode_;
  const Caller caller_;
  const OpenOptions options_;
  const AccessMode mode_;
  std::atomic<bool> released_{false};
};

}  // namespace amphora::fs
