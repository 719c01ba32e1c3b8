#include "meta/log_syncer.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "meta/base/failpoint.h"
#include "meta/base/log.h"
#include "meta/base/metrics.h"

namespace amphora::meta {
namespace {

constexpr Error kPoisonedError(ErrorCode::kPoisoned, "the log can't be synced");
constexpr Error kClosedError(ErrorCode::kIo, "the store was closed");

// Where one blocked thread parks. A futex word of its own: releasing one waiter wakes no other.
struct Parking {
  std::atomic<int> released{0};
  Status status = Ok();
};

}  // namespace

LogSyncer::LogSyncer(Source log, Ticket durable)
    : log_(std::move(log)), durable_(durable), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "log-syncer");
}

LogSyncer::~LogSyncer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Status LogSyncer::Wait(Ticket ticket) {
  if (IsDurable(ticket)) return Ok();
  Parking parking;
  When(ticket, [place = &parking](Status status) {
    place->status = std::move(status);
    // After this store the waiter may be gone; notify_one uses only the address.
    place->released.store(1, std::memory_order_release);
    place->released.notify_one();
  });
  while (parking.released.load(std::memory_order_acquire) == 0) parking.released.wait(0);
  return parking.status;
}

void LogSyncer::When(Ticket ticket, std::function<void(Status)> done) {
  if (IsDurable(ticket)) return done(Ok());
  if (ticket > log_.last_ticket()) {
    return done(Error(ErrorCode::kInvalidArgument, "a ticket that no commit answered"));
  }
  bool first = false;
  {
    std::unique_lock lock(mutex_);
    if (poisoned() || stopping_) {
      const Error refusal = poisoned() ? kPoisonedError : kClosedError;
      lock.unlock();
      return done(refusal);
    }
    first = waiters_.empty();
    waiters_.push_back(Waiter{ticket, std::move(done)});
  }
  // Only the first has somebody to wake: with others in the list the thread is not asleep.
  if (first) wake_.notify_one();
}

void LogSyncer::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiters_.empty(); });
    if (stopping_) break;
    lock.unlock();
    SyncOnce();
    lock.lock();
  }
  std::vector<Waiter> rest = std::exchange(waiters_, {});
  lock.unlock();
  for (Waiter& waiter : rest) waiter.done(kClosedError);
}

void LogSyncer::SyncOnce() {
  // Sampled before the sync: what commits while it runs is not covered by it.
  const Ticket target = log_.last_ticket();
  Status outcome = Failpoint("meta.sync");
  if (!outcome.ok()) outcome = kPoisonedError;
  if (outcome.ok() && !FailpointSkips("meta.sync")) outcome = log_.sync();
  Count(Counter::kStoreSyncs);
  if (outcome.ok()) {
    durable_.store(target, std::memory_order_release);
  } else if (outcome.Is(ErrorCode::kPoisoned)) {
    Log(LogLevel::kError, "event=log_sync_failed store=poisoned");
    poisoned_.store(true, std::memory_order_release);
  }
  for (Waiter& waiter : TakeFinished(outcome, target)) {
    waiter.done(IsDurable(waiter.ticket) ? Ok() : outcome);
  }
}

std::vector<LogSyncer::Waiter> LogSyncer::TakeFinished(const Status& outcome, Ticket target) {
  std::lock_guard lock(mutex_);
  if (outcome.Is(ErrorCode::kPoisoned)) return std::exchange(waiters_, {});
  const auto waits = [&](const Waiter& waiter) { return waiter.ticket > target; };
  const auto finished = std::stable_partition(waiters_.begin(), waiters_.end(), waits);
  std::vector<Waiter> taken(std::make_move_iterator(finished),
                            std::make_move_iterator(waiters_.end()));
  waiters_.erase(finished, waiters_.end());
  return taken;
}

}  // namespace amphora::meta
