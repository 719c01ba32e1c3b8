// Makes it safe to answer an io_uring request from a thread other than the one that received it.
//
// Why: libfuse up to 3.18 flushes a queue's submission ring in its loop without a lock, while a
// reply from another thread flushes the same ring under libfuse's own lock: two flushes at once
// lose or double a reply, and a caller hangs (libfuse issue 1443, fixed for 3.19). And when the
// kernel aborts the connection, libfuse frees the ring while such a reply may still be on its way.
//
// How: this file defines io_uring_submit_and_wait and io_uring_queue_exit itself, so that libfuse
// calls these in place of liburing's. Each queue gets a gate. The queue's thread holds it always
// but while it waits for requests; a thread of the reply pool holds it while it replies; and a
// queue is freed only after the last deferred reply went through its gate. Threads that are no FUSE
// queue's, RocksDB's for example, get liburing's own functions.
//
// A queue's thread never waits for a pool thread, so a gate cannot deadlock.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "mount/fuse.h"

namespace amphora::mount {

class UringGate {
 public:
  // The gate of the FUSE queue that the calling thread serves; null on any other thread.
  static std::shared_ptr<UringGate> OfThisThread();

  void Lock() { mutex_.lock(); }
  void Unlock() { mutex_.unlock(); }

  // Around the life of one deferred reply.
  void BeginDeferred();
  void EndDeferred();
  void WaitForDeferred();

 private:
  std::mutex mutex_;  // guards the queue's submission ring; taken before libfuse's ring_lock
  std::mutex count_mutex_;
  std::condition_variable idle_;
  std::uint64_t deferred_ = 0;
};

// False when `request` can be answered only by the thread that runs now.
bool MayDefer(fuse_req_t request);

// While it lives, this thread's replies go through `gate` (null: none needed).
class ReplyThrough {
 public:
  explicit ReplyThrough(UringGate* gate);
  ~ReplyThrough();
  ReplyThrough(const ReplyThrough&) = delete;
  ReplyThrough& operator=(const ReplyThrough&) = delete;
};

// Holds the gate chosen by ReplyThrough for one reply.
class GateHold {
 public:
  GateHold();
  ~GateHold();
  GateHold(const GateHold&) = delete;
  GateHold& operator=(const GateHold&) = delete;

 private:
  UringGate* const gate_;
};

}  // namespace amphora::mount
