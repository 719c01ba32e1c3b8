// The one thread that makes the log durable, and the list of those who wait for it.
// Promises: a ticket counts as durable only if every commit up to it was in the log before a sync
// started that succeeded; all waiters of one sync share it; the first failed sync poisons for good:
// tickets that were durable before stay so, no later one ever becomes durable.
// No timer: the thread sleeps until somebody asks. Every method is thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "meta/kv.h"

namespace amphora::meta {

class LogSyncer {
 public:
  struct Source {
    std::function<Ticket()> last_ticket;  // everything up to it is in the log; cheap, any thread
    // Makes it durable; only the syncer's thread calls it. kPoisoned: it was tried and failed. Any
    // other error: it was not tried (the disk is full); who waits now is told, and later ones may
    // ask again.
    std::function<Status()> sync;
  };

  // Everything up to `durable` is durable already.
  LogSyncer(Source log, Ticket durable);
  // Releases who still waits with kIo. Does not sync.
  ~LogSyncer();
  LogSyncer(const LogSyncer&) = delete;
  LogSyncer& operator=(const LogSyncer&) = delete;

  bool IsDurable(Ticket ticket) const { return ticket <= durable_.load(std::memory_order_acquire); }
  bool poisoned() const { return poisoned_.load(std::memory_order_acquire); }
  // See Store::WaitDurable and Store::WhenDurable. kInvalidArgument for a ticket that no commit
  // answered.
  Status Wait(Ticket ticket);
  void When(Ticket ticket, std::function<void(Status)> done);

 private:
  struct Waiter {
    Ticket ticket;
    std::function<void(Status)> done;
  };

  void Run();
  // One sync on behalf of all who wait; releases those whom it covers.
  void SyncOnce();
  // Takes the waiters that can be answered after a sync with this outcome out of the list.
  std::vector<Waiter> TakeFinished(const Status& outcome, Ticket target);

  const Source log_;
  std::atomic<Ticket> durable_;
  std::atomic<bool> poisoned_{false};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiter> waiters_;  // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
  std::thread thread_;           // last: it uses everything above
};

}  // namespace amphora::meta
