// Which groups the process behind a request is in, and whether it may set user and group ids: what
// the kernel does not tell with a request. From /proc, so it costs three system calls: for rare
// requests. Thread-safe.
#pragma once

#include <istream>

#include "fs/types.h"
#include "mount/fuse.h"

namespace amphora::mount {

// Asks when it is called, which must be before the reply. Of a process that is gone or not to be
// seen it knows the user and group alone.
fs::MembershipSource MembershipOf(fuse_req_t request);

// From the lines of /proc/PID/status.
fs::Membership ParseMembership(std::istream& status);

}  // namespace amphora::mount
