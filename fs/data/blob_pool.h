// Empty blob files made beforehand, whose names are durable: taking one costs no system call and no
// wait for the disk. A background thread, started by the first Take, refills the pool before it
// runs out; a taker who is faster waits for it. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "fs/data/blob_directory.h"
#include "fs/ids.h"

namespace amphora::fs {

class BlobPool {
 public:
  BlobPool(BlobDirectory& directory, IdSource& ids) : directory_(directory), ids_(ids) {}
  ~BlobPool();  // as a crash would leave it: files stay

  Result<std::pair<BlobId, Descriptor>> Take();
  // Stops the refill and removes the files that nobody took. Take() fails afterwards.
  Status Drain();

 private:
  static constexpr std::size_t kBatch = 64;
  static constexpr std::size_t kLow = 32;

  void Refill();
  void Stop();

  BlobDirectory& directory_;
  IdSource& ids_;
  std::mutex mutex_;
  std::condition_variable wanted_;                   // by the refill thread
  std::condition_variable refilled_;                 // by takers
  std::deque<std::pair<BlobId, Descriptor>> ready_;  // guarded by mutex_
  std::size_t waiting_ = 0;                          // guarded by mutex_: takers
  std::uint64_t attempts_ = 0;                       // guarded by mutex_: refills that ended
  Status last_ = Ok();                               // guarded by mutex_: how the last one ended
  bool stopping_ = false;                            // guarded by mutex_
  std::thread thread_;                               // guarded by mutex_ until it runs
};

}  // namespace amphora::fs
