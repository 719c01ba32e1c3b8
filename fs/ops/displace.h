// Taking names away from files: what unlink, rename over a file, PUT over a key and DELETE of a key
// do to the inode that the name meant. Hard links keep it alive; so do open handles, as an orphan.
//
//   Displacement old(core);
//   … inside the closure: old.Begin(); … old.DropName(tx, inode) …
//   … after the commit: old.Finish()
//
// One thread. Its claims last until it is destroyed, so destroy it after the commit.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "fs/data/live.h"
#include "fs/tx.h"

namespace amphora::fs {

class Displacement {
 public:
  explicit Displacement(Core& core) : core_(core) {}

  // Forgets what an earlier run of the closure did.
  void Begin();
  // After the dentry was removed or pointed elsewhere: one name less for file `inode`. The last one
  // erases everything when nobody holds the inode, and claims it so that this stays so; else it
  // leaves an orphan row. Adds the change event and the usage.
  // With a `fate` of kTaken an inode that the caller's kernel knows lives until that forgets it:
  // who looked the name up before and opens it now gets the old file, as if it had come earlier.
  enum class Fate : std::uint8_t { kGone, kTaken };
  Status DropName(Tx& tx, InodeId inode, Fate fate = Fate::kGone);

  // After the commit: hands orphans to their last holder and wakes the collector.
  void Finish();

 private:
  // Never waits, so it may be asked for inside a transaction.
  bool Claim(InodeId inode);

  Core& core_;
  std::vector<std::pair<InodeId, LiveTable::Claim>> claims_;
  std::vector<std::pair<InodeId, OriginId>> orphans_;  // and the mount whose kernel knows it
};

}  // namespace amphora::fs
