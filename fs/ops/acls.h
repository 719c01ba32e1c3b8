// Access control lists as rows: the xattr rows of their two names, kept one with the inode's mode.
// Inside a transaction, on an inode row held exclusively; the caller writes `record` afterwards.
#pragma once

#include <cstdint>
#include <string_view>

#include "fs/files.h"
#include "fs/tx.h"

namespace amphora::fs {

// Sets the permissions (07777) as chmod(2) does: an access list's mask moves along.
Status SetPermissions(Tx& tx, InodeId inode, InodeRecord& record, std::uint32_t permissions);

// setxattr(2) of a list. The mode follows the access list; one that says no more than the mode is
// not kept. `member` null: the caller may keep setgid. kAccessDenied for a default of what is no
// directory, kUnsupported for a symlink, kInvalidArgument for bytes that are no list.
Status SetAcl(Tx& tx, InodeId inode, InodeRecord& record, std::string_view name,
              std::string_view value, const MembershipSource& member);

// The permissions of a new file, asked for by mkdir(2), open(2) and the like: by the default list
// of its directory `parent` where it has one, and then with lists of its own; else by the umask.
struct NewPermissions {
  InodeId parent;
  const InodeRecord& parent_record;
  std::uint32_t umask = 0;
};
Status InheritPermissions(Tx& tx, const NewPermissions& from, InodeId inode, InodeRecord& record);

}  // namespace amphora::fs
