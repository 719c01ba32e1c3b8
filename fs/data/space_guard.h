// Keeps a full disk from becoming a store that can't even delete: whoever frees space must write a
// little first (the log, a flush of the metadata store).
//
// Two things are kept back, R = 128 MiB each, or an eighth of a smaller disk:
//   the reserve    DATA/reserve, a file of R bytes that are allocated, so that nobody else can take
//                  them: not a program that writes through passthrough, not another one on the
//                  disk. It is given up when free space falls below R/2, and made again when the
//                  disk has room for it and more. Where the disk can't allocate, there is none.
//   the floor      R of free space, below which what adds content is refused (kNoSpace): room for
//                  what the metadata store still holds in memory. Removing, truncating, renaming
//                  and settling go on.
// While the reserve is given up, adding stays refused.
//
// Threads: any may call Admit. One of our own looks at the disk, more often while it is nearly
// full. Lock: mutex_, a leaf; held across statvfs and fallocate only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "meta/base/result.h"

namespace amphora::fs {

class SpaceGuard {
 public:
  // Before the metadata store is opened: gives the reserve up at once where that may need it.
  static Result<std::unique_ptr<SpaceGuard>> Open(const std::string& data_directory);
  ~SpaceGuard();
  SpaceGuard(const SpaceGuard&) = delete;
  SpaceGuard& operator=(const SpaceGuard&) = delete;

  // Once the store is open: makes the reserve, and watches from now on.
  void Start();
  // Before `bytes` of new content are written. kNoSpace. Costs one atomic operation, now and then a
  // statvfs(3).
  Status Admit(std::uint64_t bytes);
  // What is kept from users beside the reserve: statfs(2) of a mount leaves it out.
  std::uint64_t floor_bytes() const { return reserve_bytes_; }
  bool full() const { return full_.load(std::memory_order_relaxed); }

 private:
  SpaceGuard(const std::string& data_directory, std::uint64_t reserve_bytes);
  // All with mutex_ held.
  std::uint64_t FreeBytes() const;
  void LookHeld();
  void GiveUp();
  bool MakeReserve();
  void Watch();

  const std::string directory_;
  const std::string path_;
  const std::uint64_t reserve_bytes_;
  std::atomic<std::int64_t> budget_{0};  // bytes that may be admitted before the next look
  std::atomic<bool> full_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool has_reserve_ = false;     // guarded by mutex_
  bool can_reserve_ = true;      // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
  std::uint64_t last_free_ = 0;  // guarded by mutex_
  std::thread watch_;
};

}  // namespace amphora::fs
