// Daemons that were killed and can't end. A thread that tells the kernel of a change may wait for a
// directory's lock, whose holder waits for an answer of the same daemon. After SIGKILL nobody
// answers, the thread can't be woken, and it keeps /dev/fuse open, so that the kernel does not see
// that the daemon is gone: the mount hangs and the data directory stays locked until the
// connection is aborted from outside.
//
// Everything here is read from proc(5): a killed thread has SIGKILL pending, and fdinfo names the
// connection of a FUSE descriptor (kernels that don't name it find nothing here). Needs root, or
// the dead daemon's user where /sys/fs/fuse/connections is mounted, as systemd does. Blocking,
// thread-safe.
#pragma once

#include <sys/types.h>

#include <string>

#include "meta/base/result.h"

namespace amphora::mount {

// Whoever waits for an answer of FUSE connection `number` gets an error, and its mount is dead;
// also in another mount namespace. False: this needs root and fusectl.
bool AbortConnection(unsigned number);

// True when `process` was killed and is not gone yet.
bool IsDying(pid_t process);

// Aborts every FUSE connection that dying process `process` holds, and detaches their mounts, so
// that it can end. Waits up to `patience_ms` for that; false when it is still there then. A process
// that is not dying is left alone (true).
bool LetDie(pid_t process, int patience_ms);

// The same for the process that serves the mount at `directory`. True: it was dying, and the mount
// is detached. kBusy: it is still there after `patience_ms`.
Result<bool> LetServerDie(const std::string& directory, int patience_ms);

}  // namespace amphora::mount
