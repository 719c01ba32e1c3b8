// The end of a directory's inode: what rmdir, rename over a directory and vanishing do once its
// name is gone. Its rows go in the same transaction; what a kernel that holds it may still ask is
// answered from memory (fs/removed_directories.h). One with xattrs is left as an orphan instead,
// since those are rows.
//
//   DirectoryEnd end(core, origin);
//   … inside the closure: end.Begin(); … end.Drop(tx, inode, directory) …
//   … after the commit: end.Finish()
//
// One thread.
#pragma once

#include "fs/entries.h"
#include "fs/tx.h"

namespace amphora::fs {

class DirectoryEnd {
 public:
  // `origin`: the mount whose kernel holds the directory because it removes it; else invalid.
  DirectoryEnd(Core& core, OriginId origin) : core_(core), origin_(origin) {}
  // Without Finish: nothing was removed.
  ~DirectoryEnd() { Begin(); }
  DirectoryEnd(const DirectoryEnd&) = delete;
  DirectoryEnd& operator=(const DirectoryEnd&) = delete;

  // Forgets what an earlier run of the closure did.
  void Begin();
  // `inode` is the empty directory, and its name is erased.
  Status Drop(Tx& tx, InodeId inode, EmptyDirectory directory);
  void Finish();

 private:
  Core& core_;
  const OriginId origin_;
  InodeId erased_;
  InodeId orphaned_;
};

// Before a call that writes to a directory that may be removed already (fchmod, fsetxattr): gives
// it its row back, as an orphan that mount `asks` holds. Does nothing for any other inode.
Status RestoreRemoved(Core& core, OriginId asks, InodeId inode);

// The row of an inode that a kernel holds, removed directories included. kStale when it is gone.
Result<InodeRecord> ReadHeldInode(Core& core, meta::Reader& reader, InodeId inode);

}  // namespace amphora::fs
