// Taking a name away from an inode: shared by unlink, rename over a file, PUT over a file and
// DELETE.
#pragma once

#include "fs/data/live.h"
#include "fs/tx.h"
#include "fs/types.h"

namespace amphora::fs {

// What the caller does after the commit.
enum class AfterUnlink : std::uint8_t {
  kNothing,   // other names are left, or everything was erased in the transaction
  kOrphaned,  // somebody holds it: call LiveTable::Orphaned
};

// Inside a transaction, after the dentry was removed or pointed elsewhere: one name less for file
// `inode`. `claim` is true when LiveTable::TryClaim(inode) is held: the last name then
// erases everything; without it the last name leaves an orphan row. Adds the change event and the
// usage.
Result<AfterUnlink> DropName(Tx& tx, InodeId inode, bool claim);

}  // namespace amphora::fs
