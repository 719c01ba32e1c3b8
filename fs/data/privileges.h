// Setuid and setgid when a file's content or owner changes (write(2), chown(2)). Pure functions but
// for the question that they may ask; thread-safe.
#pragma once

#include <cstdint>

#include "fs/types.h"

namespace amphora::fs {

enum class Privileges : std::uint8_t {
  kKept,     // the caller has CAP_FSETID
  kLost,     // it lacks that
  kUnknown,  // its membership says
  kOwner,    // whoever it is: the owner changes
};

// Which of the bits S_ISUID and S_ISGID of a regular file's `permissions` go: setuid; setgid where
// the group may execute, and where the caller is not in the group `gid` of the file.
std::uint32_t TakenPrivileges(std::uint32_t permissions, std::uint32_t gid, Privileges privileges,
                              const MembershipSource* membership);

}  // namespace amphora::fs
