// Taking a name away from a file: what PUT over a key and DELETE of a key do to the inode that the
// name meant. Hard links keep it alive; so do open handles, as an orphan.
//
//   Displacement old;
//   old.Prepare(core, inode, row);        // before the transaction: claims it, if nobody holds it
//   … inside the closure: old.Begin(); … old.DropName(tx, inode) …
//   … after the commit: old.Finish(core)
//
// One thread. The claims last until it is destroyed, so destroy it after the commit.
#pragma once

#include <utility>
#include <vector>

#include "fs/data/live.h"
#include "fs/tx.h"

namespace amphora::fs {

class Displacement {
 public:
  // Claims `inode` when the name is its last one and nobody has it open: then its row can go in the
  // same transaction. Takes no row lock; call it outside of transactions.
  void Prepare(Core& core, InodeId inode, const InodeRecord& record);

  // Forgets what an earlier run of the closure did.
  void Begin();
  // One name less for `inode` (fs/ops/unlink_inode.h): the last one erases it if it is claimed,
  // else leaves an orphan.
  Status DropName(Tx& tx, InodeId inode);

  // After the commit: hands orphans to their last holder and wakes the collector.
  void Finish(Core& core);

 private:
  bool Claimed(InodeId inode) const;

  std::vector<std::pair<InodeId, LiveTable::Claim>> claims_;
  std::vector<InodeId> orphans_;
};

}  // namespace amphora::fs
