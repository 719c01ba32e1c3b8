// Advisory locks of all mounts with `-o locks=shared`: POSIX record locks and those of open file
// descriptions (fcntl(2)), and flock(2), as the kernel has them, but across mounts. The two
// families do not see each other, as on a local file system. Nothing is stored: locks end with the
// process.
//
// A request that must wait holds no thread: its answer is called when it is granted, by whoever
// made that possible. Waiters of an inode are looked at in the order in which they came.
//
// Who would wait for somebody who waits, however indirectly, for it, gets kDeadlock (fcntl(2):
// EDEADLK). An owner counts as waiting while any of its requests does, as in Linux. flock never
// answers that.
//
// Thread-safe. Lock: mutex_, a leaf; answers are called without it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "fs/types.h"

namespace amphora::fs {

// As one kernel names whoever holds a lock: a process, or an open file description.
struct LockOwner {
  OriginId mount;
  std::uint64_t id = 0;
  friend auto operator<=>(const LockOwner&, const LockOwner&) = default;
};

// An open file of one mount.
struct LockHandle {
  OriginId mount;
  std::uint64_t id = 0;
  friend auto operator<=>(const LockHandle&, const LockHandle&) = default;
};

enum class LockFamily : std::uint8_t { kRecord, kWhole };  // fcntl(2); flock(2)
enum class LockType : std::uint8_t { kShared, kExclusive };

// Bytes first to last, both included.
struct LockRange {
  std::uint64_t first = 0;
  std::uint64_t last = UINT64_MAX;
  friend bool operator==(const LockRange&, const LockRange&) = default;
};

struct LockRequest {
  InodeId inode;
  LockOwner owner;
  LockHandle handle;
  LockFamily family = LockFamily::kRecord;
  LockType type = LockType::kShared;
  LockRange range;  // of a whole-file lock: everything
  std::int32_t process =
      0;  // its number, as F_GETLK shows it; where the mount's own are told apart
};

struct HeldLock {
  LockType type = LockType::kShared;
  LockRange range;
  LockOwner owner;
  std::int32_t process = 0;
};

// Of all mounts together, held and waited for: what they may take of memory.
inline constexpr std::size_t kMostLocks = 1 << 20;

using LockWaitId = std::uint64_t;

class LockTable {
 public:
  // The first lock in the way of `request`; nothing when it could be had.
  std::optional<HeldLock> FindConflict(const LockRequest& request) const;
  // kConflict when another one is in the way, kTooManyLocks beyond kMostLocks. A lock of the same
  // owner is replaced where they overlap; an flock that changes its kind is given up first, and
  // stays given up on kConflict, as flock(2) says.
  Status Lock(const LockRequest& request);
  // Locks, now or later; `answer` is called once: Ok, or kDeadlock. Perhaps before this returns;
  // else the id under which it waits is answered, for Cancel. kTooManyLocks likewise.
  std::optional<LockWaitId> LockOrWait(const LockRequest& request,
                                       std::function<void(Status)> answer);
  // True: it was still waiting, does no more, and its answer is never called.
  bool Cancel(LockWaitId wait);
  void Unlock(const LockRequest& request);

  // close(2) of any descriptor of the inode by a process: its record locks on the inode go.
  void DropRecords(InodeId inode, const LockOwner& owner);
  // The last reference to an open file is gone, and with it every lock that was taken through it
  // and is left.
  void DropHandle(InodeId inode, const LockHandle& handle);
  // The mount is gone. Its waiters are never answered.
  void DropMount(OriginId mount);

  std::size_t held() const;
  std::size_t waiting() const;

 private:
  struct Waiter {
    LockWaitId id = 0;
    LockRequest request;
    std::function<void(Status)> answer;
  };
  struct Inode {
    std::vector<LockRequest> held;
    std::vector<Waiter> waiters;  // in order of arrival
    // Who locked through an open file since its owner last closed one.
    std::set<std::pair<LockHandle, LockOwner>> users;
  };
  // What is to be called once mutex_ is released.
  using Answers = std::vector<std::pair<std::function<void(Status)>, Status>>;

  // All with mutex_ held.
  const LockRequest* ConflictIn(const Inode& inode, const LockRequest& request) const;
  bool WouldDeadlock(const LockRequest& request) const;
  void Add(Inode& inode, const LockRequest& request);
  static void Cut(Inode& inode, const LockRequest& request);
  std::optional<LockWaitId> QueueHeld(const LockRequest& request,
                                      std::function<void(Status)> answer, Answers& answers);
  void Wake(Inode& inode, Answers& answers);
  void EraseIfIdle(InodeId inode);
  bool Full() const { return total_ >= kMostLocks; }

  // Counts an inode's locks and waiters anew at the end of its change.
  class Tally;

  mutable std::mutex mutex_;
  std::map<InodeId, Inode> inodes_;  // guarded by mutex_, as all below
  std::size_t total_ = 0;            // locks and waiters
  LockWaitId next_wait_ = 1;
};

}  // namespace amphora::fs
