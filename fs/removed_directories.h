// Directories that were removed and that a kernel may still hold: as somebody's working directory,
// by an open descriptor, or for the moment until it forgets them. Their rows are gone with their
// names; what fstat(2) shows of them is kept here, as it dies with the mount that holds it.
//
// A mount that surely holds the directory (its own kernel removed it) keeps it until it forgets.
// Other mounts may hold it or not, nobody knows: of those directories the last kMostUnsure are
// kept.
//
// Thread-safe; the lock is a leaf.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "fs/records.h"
#include "fs/types.h"

namespace amphora::fs {

// What is left of one. Small, because the thread that forgets it is not the one that added it.
struct RemovedDirectory {
  InodeId parent;
  BucketId bucket;
  std::uint32_t permissions = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  Time accessed;
  Time modified;
  Time changed;
  Time born;

  static RemovedDirectory Of(const InodeRecord& record);
  // With a link count of 0.
  InodeRecord ToRecord() const;
};

class RemovedDirectories {
 public:
  static constexpr std::size_t kMostUnsure = 4096;

  // As it is shown from now on. `holder` is the mount that surely holds it, or invalid.
  void Add(InodeId inode, const RemovedDirectory& directory, OriginId holder);
  // nullopt when it is not removed, or nobody can hold it any more.
  std::optional<RemovedDirectory> Find(InodeId inode) const;
  // Removes it; the answer is the mount that surely held it, or invalid.
  OriginId Take(InodeId inode);
  // `others`: another mount may hold it still.
  void Forget(OriginId origin, InodeId inode, bool others);
  // The mount is gone with everything its kernel knew.
  void ForgetAll(OriginId origin);

 private:
  struct Entry {
    RemovedDirectory directory;
    OriginId holder;
  };

  // The lock is held.
  void BecomeUnsure(InodeId inode);
  void Erase(InodeId inode);

  mutable std::mutex mutex_;
  std::unordered_map<InodeId, Entry> entries_;  // guarded by mutex_
  std::deque<InodeId> unsure_;                  // guarded by mutex_: oldest first
  std::atomic<std::size_t> size_{0};            // of entries_: most questions end here
};

}  // namespace amphora::fs
