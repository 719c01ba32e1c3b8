// Clears ranges of rows that were erased in masses: RocksDB's iterators wade through each erased
// row until a compaction takes it away, so a directory that takes in and loses names all day would
// get slower with each. A scan tells how much it waded through; one thread compacts what is worth
// it. Internal to the RocksDB store. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "meta/kv.h"

namespace amphora::meta {

class TombstoneSweeper {
 public:
  // A scan that skips fewer erased rows is cheap (below 2 ms).
  static constexpr std::uint64_t kWorthSweeping = 4096;

  // `compact` takes the erased rows of a range away; called by the sweeper's thread only, which
  // starts with the first range.
  explicit TombstoneSweeper(std::function<Status(Table, const KeyRange&)> compact);
  // Waits for the compaction that runs.
  ~TombstoneSweeper();
  TombstoneSweeper(const TombstoneSweeper&) = delete;
  TombstoneSweeper& operator=(const TombstoneSweeper&) = delete;

  // A scan of `range` passed over `skipped` erased rows. Takes no time when that is little.
  void NoteScan(Table table, const KeyRange& range, std::uint64_t skipped) {
    if (skipped >= kWorthSweeping) Enqueue(table, range);
  }

 private:
  void Enqueue(Table table, const KeyRange& range);
  void Run();

  const std::function<Status(Table, const KeyRange&)> compact_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<Table, KeyRange>> ranges_;  // guarded by mutex_
  bool stopping_ = false;                          // guarded by mutex_
  std::thread thread_;                             // started with mutex_ held
};

}  // namespace amphora::meta
