// The syncer alone, over a log that the test drives.

#include "meta/log_syncer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <semaphore>
#include <thread>

namespace amphora::meta {
namespace {

// A log whose syncs wait until the test lets each one go.
class HandLog {
 public:
  LogSyncer::Source Source() {
    return {[this] { return last_.load(); },
            [this]() -> Status {
              started_.release();
              go_.acquire();
              return outcome_.load() == ErrorCode{} ? Ok() : Status(Error(outcome_.load()));
            }};
  }
  Ticket Append() { return ++last_; }
  void AwaitSync() { started_.acquire(); }
  void FinishSync() { go_.release(); }
  // From now on; ErrorCode{} is success.
  void SyncsAnswer(ErrorCode outcome) { outcome_ = outcome; }

 private:
  std::atomic<Ticket> last_{0};
  std::atomic<ErrorCode> outcome_{};
  std::counting_semaphore<> started_{0};
  std::counting_semaphore<> go_{0};
};

TEST(LogSyncerTest, WhatIsDurableAtTheStartNeedsNoSync) {
  HandLog log;
  for (int i = 0; i < 5; ++i) log.Append();
  LogSyncer syncer(log.Source(), 5);
  EXPECT_TRUE(syncer.IsDurable(5));
  EXPECT_TRUE(syncer.Wait(5).ok());
}

TEST(LogSyncerTest, SyncCoversWhatWasInTheLogWhenItStartedAndNoMore) {
  HandLog log;
  LogSyncer syncer(log.Source(), 0);
  const Ticket first = log.Append();
  const Ticket second = log.Append();
  std::promise<Status> first_done;
  syncer.When(first, [&](Status status) { first_done.set_value(status); });
  log.AwaitSync();
  const Ticket late = log.Append();
  std::promise<Status> late_done;
  syncer.When(late, [&](Status status) { late_done.set_value(status); });
  log.FinishSync();
  EXPECT_TRUE(first_done.get_future().get().ok());
  EXPECT_TRUE(syncer.IsDurable(second));
  // The next sync is already asked for and waits for the test: the late one can't be durable.
  log.AwaitSync();
  EXPECT_FALSE(syncer.IsDurable(late));
  log.FinishSync();
  EXPECT_TRUE(late_done.get_future().get().ok());
  EXPECT_TRUE(syncer.IsDurable(late));
}

TEST(LogSyncerTest, FailureReachesWaitersOfTheRunningSyncAndThoseBehindIt) {
  HandLog log;
  LogSyncer syncer(log.Source(), 0);
  std::promise<Status> one;
  std::promise<Status> two;
  syncer.When(log.Append(), [&](Status status) { one.set_value(status); });
  log.AwaitSync();
  syncer.When(log.Append(), [&](Status status) { two.set_value(status); });
  log.SyncsAnswer(ErrorCode::kPoisoned);
  log.FinishSync();
  EXPECT_TRUE(one.get_future().get().Is(ErrorCode::kPoisoned));
  EXPECT_TRUE(two.get_future().get().Is(ErrorCode::kPoisoned));
  EXPECT_TRUE(syncer.poisoned());
  EXPECT_TRUE(syncer.Wait(1).Is(ErrorCode::kPoisoned));
}

TEST(LogSyncerTest, SyncThatWasNotTriedFailsItsWaitersAndPoisonsNothing) {
  HandLog log;
  LogSyncer syncer(log.Source(), 0);
  const Ticket ticket = log.Append();
  log.SyncsAnswer(ErrorCode::kNoSpace);
  log.FinishSync();
  EXPECT_TRUE(syncer.Wait(ticket).Is(ErrorCode::kNoSpace));
  EXPECT_FALSE(syncer.poisoned());
  EXPECT_FALSE(syncer.IsDurable(ticket));
  log.SyncsAnswer(ErrorCode{});
  log.FinishSync();
  EXPECT_TRUE(syncer.Wait(ticket).ok());
  EXPECT_TRUE(syncer.IsDurable(ticket));
}

TEST(LogSyncerTest, ClosingReleasesWhoStillWaits) {
  HandLog log;
  auto syncer = std::make_unique<LogSyncer>(log.Source(), 0);
  std::promise<Status> covered;
  std::promise<Status> waiting;
  syncer->When(log.Append(), [&](Status status) { covered.set_value(status); });
  log.AwaitSync();
  syncer->When(log.Append(), [&](Status status) { waiting.set_value(status); });
  std::thread closer([&] { syncer.reset(); });
  // The closer can only finish once the running sync has; if it comes first, the second waiter is
  // released with an error, otherwise another sync covers it.
  log.FinishSync();
  log.FinishSync();
  closer.join();
  EXPECT_TRUE(covered.get_future().get().ok());
  const Status status = waiting.get_future().get();
  EXPECT_TRUE(status.ok() || status.Is(ErrorCode::kIo));
}

}  // namespace
}  // namespace amphora::meta
