// Threads for what may wait: the disk's durability, large transfers, copies. A FUSE thread hands
// such a request over and serves the next one, so that a slow fsync delays no stat on the same CPU
// (hazards 2.1). Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "mount/fuse.h"
#include "mount/uring_gate.h"

namespace amphora::mount {

class ReplyPool {
 public:
  // Must answer the request that it was run for, and not throw.
  using Job = std::move_only_function<void()>;

  ReplyPool() = default;
  ~ReplyPool() { Stop(); }

  // Runs `job` on a thread of the pool; on this one when the pool has stopped or libfuse could not
  // take the reply from another thread.
  void Run(fuse_req_t request, Job job);
  // Waits until every job has replied; later ones run on their caller's thread. Idempotent.
  void Stop();

 private:
  struct Deferred {
    Job job;
    fuse_ino_t node = 0;  // its subject (subject.h), kept
    std::optional<std::string> name;
    std::shared_ptr<UringGate> gate;
  };
  void Work();

  // A ring has 8 requests per CPU in flight, the classic queue as many as it has threads; each that
  // waits for one shared sync costs a sleeping thread and nothing else.
  static constexpr std::size_t kMaxThreads = 64;

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Deferred> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopped_ = false;
};

}  // namespace amphora::mount
