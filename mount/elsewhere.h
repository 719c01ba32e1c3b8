// Mounts in a mount namespace that is not the daemon's (a container's, unshare(1)'s): the program
// that is run there opens /dev/fuse and mounts it, and the daemon takes the descriptor over
// (hazards section 6: in a user namespace nobody else may). Blocking, thread-safe.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "meta/base/result.h"
#include "mount/session.h"

namespace amphora::mount {

// "mnt:[4026531841]": the mount namespace of `process`, or of this one; empty when it can't be
// read.
std::string MountNamespace(std::optional<pid_t> process = std::nullopt);

// In the program: mounts `source` ("/volume/bucket") at `directory` here. Answers the descriptor of
// the mount, which nobody serves yet. kNotPermitted, kNotFound.
Result<int> MountHere(const std::string& source, const std::string& directory,
                      const MountOptions& options);
// The same program, when the daemon did not take it, or umount here.
Status UnmountHere(const std::string& directory, bool force);

// In the daemon: a copy of descriptor `fd` of `process`, which must be a FUSE device.
Result<int> TakeDevice(pid_t process, int fd);
// The number of the connection that a FUSE device belongs to.
std::optional<unsigned> ConnectionOf(int device);

}  // namespace amphora::mount
