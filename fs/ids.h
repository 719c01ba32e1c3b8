// Ids and stamps that are never given out twice, also after a crash: each comes from a range that
// was made durable before its first id was used (hazards 5.1). Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "fs/types.h"
#include "meta/kv.h"

namespace amphora::fs {

class IdSource {
 public:
  // `name` names the reservation row; `first` is the first id of a fresh store; `step` is how many
  // one reservation takes (one durable write each).
  IdSource(meta::Store& store, std::string name, std::uint64_t first, std::uint64_t step);
  // Reads the reservation. Ids of [unsettled_begin(), its limit) may have been used before a crash.
  Status Open();
  Result<std::uint64_t> Next();
  // `count` consecutive ids; answers the first. At most the step.
  Result<std::uint64_t> Next(std::uint64_t count);
  std::uint64_t unsettled_begin() const { return unsettled_begin_; }
  std::uint64_t unsettled_end() const { return unsettled_end_; }
  // At a clean stop, or after recovery has looked at the unsettled ids.
  Status MarkSettled();

 private:
  Status Reserve(std::uint64_t needed);

  meta::Store& store_;
  const std::string name_;
  const std::uint64_t first_;
  const std::uint64_t step_;
  std::mutex mutex_;
  std::uint64_t next_ = 0;   // guarded by mutex_
  std::uint64_t limit_ = 0;  // guarded by mutex_
  std::uint64_t clean_ = 0;  // guarded by mutex_
  std::uint64_t unsettled_begin_ = 0;
  std::uint64_t unsettled_end_ = 0;
};

// Stamps order commits: greater than every stamp before, close to the wall clock's nanoseconds,
// also when the clock steps back or the process restarts.
class StampSource {
 public:
  explicit StampSource(meta::Store& store);
  Status Open();
  std::uint64_t Next();

 private:
  Status Reserve(std::uint64_t at_least);

  meta::Store& store_;
  std::mutex mutex_;
  std::uint64_t last_ = 0;   // guarded by mutex_
  std::uint64_t limit_ = 0;  // guarded by mutex_
};

}  // namespace amphora::fs
