// One FUSE mount of the store, a volume or a bucket. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "fs/engine.h"
#include "meta/base/result.h"

namespace amphora::mount {

struct MountOptions {
  std::string source;     // "" the whole store, "volume", or "volume/bucket"
  std::string directory;  // absolute, existing
  bool read_only = false;
  // Empty: where it is permitted, which is as root, or when /etc/fuse.conf says so.
  std::optional<bool> allow_other;
  bool noexec = false;
  bool nosuid = false;
  bool nodev = false;
  // Opening a file to read it moves its access time by relatime's rule; else only utimensat(2)
  // does (noatime). Reading itself shows nowhere: the kernel does it from its cache (hazards 6).
  bool relatime = false;
  bool use_passthrough = true;  // when the kernel and the disk grant it
  bool use_io_uring = true;     // when the kernel grants it
  unsigned threads = 0;         // of the classic queue; 0: by CPU count
  // flock and record locks hold across mounts, not in this one's kernel alone. Requests that wait
  // for a lock would fill io_uring's queues, so such a mount has the classic one (hazards 2.1).
  bool shared_locks = false;
  // Everything belongs to them as this mount shows it, and what it makes does; giving a file to
  // somebody else is refused.
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  // A FUSE device that is mounted already, in another mount namespace (mount/elsewhere.h); taken
  // over. `directory` is then a name for messages, and `view` a path by which the daemon gets
  // there, if it may.
  int device = -1;
  std::string view;
  std::uint32_t umask = 0;  // permission bits that this mount neither shows nor gives
};

// What was really negotiated, for `amphora status`.
struct MountFigures {
  std::string source;
  std::string directory;
  bool alive = true;
  bool read_only = false;
  bool passthrough = false;
  std::string passthrough_reason;  // why not, when not
  bool io_uring = false;
  std::string io_uring_reason;
  std::string name_invalidation;  // "entry", "epoch" or "timeout" (hazards 3.3)
  std::uint64_t requests = 0;
  std::uint64_t invalidations = 0;
};

class Mount {
 public:
  // Cleans up a dead mount of an earlier daemon at `directory` first. Errors: kNotFound or
  // kNotDirectory (the directory or the source), kBusy (something live is mounted there),
  // kNotPermitted (also: allow_other is asked for and not permitted), kIo. Returns when the mount
  // answers requests.
  static Result<std::unique_ptr<Mount>> Start(fs::Engine& engine, const MountOptions& options);
  // Detaches from the name space and ends the session; open files go on failing with ENOTCONN only
  // if `force`; otherwise kBusy while files are open.
  virtual Status Unmount(bool force) = 0;
  virtual MountFigures figures() const = 0;
  // Unmounts by force.
  virtual ~Mount() = default;
};

// Parses "ro,noexec,…" (mount -o); kInvalidArgument with `culprit` set to the unknown word.
Status ParseMountOptions(const std::string& text, MountOptions& options, std::string& culprit);

// True when `directory` is a FUSE mount whose daemon is gone (ENOTCONN). Then it is detached.
Result<bool> DetachDeadMount(const std::string& directory);

}  // namespace amphora::mount
