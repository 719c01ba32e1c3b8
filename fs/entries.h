// Names in directories: the only place that writes dentries, positions and directory sums, so that
// the namespace rules (hazards section 4) live once. Every function works inside a transaction.
//
// The guard rule: who adds a name calls LockParentToAdd (parent row shared) first; who removes a
// directory takes its row exclusively before it proves it empty (CheckEmptyExclusively).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fs/tx.h"

namespace amphora::fs {

// Both rows that one raw name can have.
struct Slot {
  InodeId parent;
  std::string raw;
  std::optional<DentryRecord> file;
  std::optional<DentryRecord> directory;
};

// Reads both rows with the lock.
Result<Slot> ReadSlot(Tx& tx, InodeId parent, std::string_view raw, Lock lock);

// The parent's row, alive, locked shared. kNotFound once it was removed, kNotDirectory.
// `make_explicit`: a POSIX change; an implicit directory becomes explicit (row locked exclusively).
enum class ParentUse : std::uint8_t { kPosix, kObject };
Result<InodeRecord> LockParentToAdd(Tx& tx, InodeId parent, ParentUse use);

// Writes the dentry, the position and the parent's sums; shows or hides the file of the same name;
// adds the change events. `slot` is kept up to date.
struct NewEntry {
  InodeId inode;
  FileKind kind = FileKind::kRegular;
};
Status AddEntry(Tx& tx, Slot& slot, BucketId bucket, const NewEntry& entry);
// Points an existing dentry of the same kind of row (file or directory) at another inode.
Status ReplaceEntry(Tx& tx, Slot& slot, BucketId bucket, const NewEntry& entry);
Status RemoveEntry(Tx& tx, Slot& slot, BucketId bucket, bool is_directory);

// A directory without an entry, whose row is held exclusively: nobody merges into its sums.
struct EmptyDirectory {
  InodeRecord record;
  meta::MergeValue sums;
};
// kNotEmpty when directory `inode` has an entry. Takes its inode row exclusively first.
Result<EmptyDirectory> CheckEmptyExclusively(Tx& tx, InodeId inode);

}  // namespace amphora::fs
