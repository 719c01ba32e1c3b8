// What a mount asks of the machine around it: the table of mounts, unmounting as root or through
// fusermount3, and the kernel's FUSE settings. Blocking, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "meta/base/result.h"

namespace amphora::mount {

// One mount of this name space (proc(5): mountinfo), in the order of mounting.
struct MountEntry {
  unsigned device_major = 0;
  unsigned device_minor = 0;  // of FUSE: also its connection's number
  std::string point;
  std::string type;  // "fuse.amphora"
};
Result<std::vector<MountEntry>> ReadMountTable();

// True when something is mounted on `directory`, an absolute path without symlinks (mountinfo(5)).
Result<bool> IsMountPoint(const std::string& directory);

enum class Detach {
  kIfIdle,
  kLazily,    // out of the name space now; the rest when the last file is closed
  kAborting,  // the same, and whoever uses it gets ENOTCONN (an ordinary user's is only detached)
};
// kBusy: files are open and kIfIdle was asked for. Unmounting what is not mounted is kNotFound.
Status UnmountDirectory(const std::string& directory, Detach how);

// Whether the kernel offers FUSE over io_uring. It is off by default, and only root can turn it on.
struct UringSetting {
  bool enabled = false;
  std::string note;  // why not; or that we turned it on
};
UringSetting EnableUring();

// Whether a mount of ours may be open to other users: root's always, an ordinary user's where
// /etc/fuse.conf has user_allow_other (mount.fuse3(8)).
bool MayAllowOther();

// Raises fs.fuse.max_pages_limit (Linux 6.13) so that one request can carry `bytes`, when root and
// lower.
void RaiseRequestLimit(unsigned bytes);

}  // namespace amphora::mount
