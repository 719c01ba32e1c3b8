// Tickets, syncs and what a failed one means; reopening; one owner at a time.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <thread>

#include "tests/meta/store_fixture.h"

namespace amphora::meta {
namespace {

template <typename T>
class StoreDurabilityTest : public StoreTest<T> {};
TYPED_TEST_SUITE(StoreDurabilityTest, Implementations);

TYPED_TEST(StoreDurabilityTest, TicketsGrowWithEveryCommit) {
  EXPECT_TRUE(this->store().IsDurable(0));
  Ticket last = this->store().LastTicket();
  for (int i = 0; i < 100; ++i) {
    const Ticket ticket = this->Put("k", std::to_string(i));
    EXPECT_GT(ticket, last);
    EXPECT_GE(this->store().LastTicket(), ticket);
    last = ticket;
  }
}

TYPED_TEST(StoreDurabilityTest, ReadOnlyCommitAnswersTheNewestTicket) {
  const Ticket ticket = this->Put("k", "v");
  const auto reader = this->store().Begin();
  ASSERT_TRUE(reader->Get(Table::kRows, "k").ok());
  const auto answer = reader->Commit();
  ASSERT_TRUE(answer.ok());
  EXPECT_GE(*answer, ticket);
}

TYPED_TEST(StoreDurabilityTest, CommitAloneIsNotDurableAndOneSyncCoversAllBefore) {
  const Ticket first = this->Put("a", "1");
  const Ticket second = this->Put("b", "1");
  EXPECT_FALSE(this->store().IsDurable(first));
  const auto syncs = Value(Counter::kStoreSyncs);
  ASSERT_TRUE(this->store().WaitDurable(second).ok());
  EXPECT_TRUE(this->store().IsDurable(first));
  ASSERT_TRUE(this->store().WaitDurable(first).ok());
  EXPECT_EQ(Value(Counter::kStoreSyncs) - syncs, 1u);
  EXPECT_FALSE(this->store().IsDurable(this->Put("c", "1")));
}

TYPED_TEST(StoreDurabilityTest, TicketThatNoCommitAnsweredIsRefused) {
  this->Put("a", "1");
  EXPECT_TRUE(
      this->store().WaitDurable(this->store().LastTicket() + 1).Is(ErrorCode::kInvalidArgument));
}

TYPED_TEST(StoreDurabilityTest, WhenDurableCallsBackOnceAndAtOnceIfAlreadyDurable) {
  const Ticket ticket = this->Put("a", "1");
  std::promise<Status> promise;
  std::atomic<int> calls{0};
  this->store().WhenDurable(ticket, [&](Status status) {
    calls.fetch_add(1);
    promise.set_value(status);
  });
  EXPECT_TRUE(promise.get_future().get().ok());
  EXPECT_TRUE(this->store().IsDurable(ticket));
  bool called_here = false;
  const auto here = std::this_thread::get_id();
  this->store().WhenDurable(ticket, [&](Status status) {
    called_here = status.ok() && std::this_thread::get_id() == here;
  });
  EXPECT_TRUE(called_here);
  EXPECT_EQ(calls.load(), 1);
}

TYPED_TEST(StoreDurabilityTest, ManyThreadsWaitAndEachIsReleased) {
  constexpr int kThreads = 16;
  constexpr int kEach = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const Ticket ticket = this->Put("k" + std::to_string(t), std::to_string(i));
        EXPECT_TRUE(this->store().WaitDurable(ticket).ok());
        EXPECT_TRUE(this->store().IsDurable(ticket));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TYPED_TEST(StoreDurabilityTest, FailedSyncPoisonsForGood) {
  const Ticket before = this->Put("a", "1");
  ASSERT_TRUE(this->store().WaitDurable(before).ok());
  const Ticket lost = this->Put("b", "1");
  ASSERT_TRUE(ArmFailpoint("meta.sync", "1*fail"));
  EXPECT_TRUE(this->store().WaitDurable(lost).Is(ErrorCode::kPoisoned));
  // The failpoint would let a second sync succeed: it must not be tried, nor cover the lost one.
  EXPECT_TRUE(this->store().WaitDurable(lost).Is(ErrorCode::kPoisoned));
  EXPECT_EQ(FailpointVisits("meta.sync"), 1u);
  EXPECT_FALSE(this->store().IsDurable(lost));
  Status told = Ok();
  this->store().WhenDurable(lost, [&](Status status) { told = status; });
  EXPECT_TRUE(told.Is(ErrorCode::kPoisoned));

  const auto transaction = this->store().Begin();
  ASSERT_TRUE(transaction->Put(Table::kRows, "c", "1").ok());
  EXPECT_TRUE(transaction->Commit().Is(ErrorCode::kPoisoned));
  // What was durable stays so, and what was committed can be read.
  EXPECT_TRUE(this->store().WaitDurable(before).ok());
  EXPECT_EQ(this->Value("b"), "1");
  EXPECT_EQ(this->Value("c"), "(none)");
}

TYPED_TEST(StoreDurabilityTest, FailedSyncReleasesEveryWaiter) {
  ASSERT_TRUE(ArmFailpoint("meta.sync", "fail"));
  std::vector<std::thread> threads;
  std::atomic<int> poisoned{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto done = Transact(this->store(), [&](Transaction& transaction) {
        return transaction.Put(Table::kRows, "k" + std::to_string(t), "v");
      });
      const bool refused = !done.ok() && done.error().code() == ErrorCode::kPoisoned;
      if (refused || this->store().WaitDurable(done->ticket).Is(ErrorCode::kPoisoned)) ++poisoned;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(poisoned.load(), 8);
}

TYPED_TEST(StoreDurabilityTest, ReopenedStoreIsHealthyAgainAfterPoison) {
  const Ticket lost = this->Put("a", "1");
  ASSERT_TRUE(ArmFailpoint("meta.sync", "fail"));
  EXPECT_TRUE(this->store().WaitDurable(lost).Is(ErrorCode::kPoisoned));
  DisarmAllFailpoints();
  this->Open();
  EXPECT_TRUE(this->store().WaitDurable(this->Put("b", "1")).ok());
}

TYPED_TEST(StoreDurabilityTest, SlowSyncDelaysNoCommitAndNoRead) {
  const Ticket ticket = this->Put("a", "1");
  ASSERT_TRUE(ArmFailpoint("meta.sync", "1*sleep(500)"));
  std::promise<Status> promise;
  this->store().WhenDurable(ticket, [&](Status status) { promise.set_value(status); });
  while (FailpointVisits("meta.sync") == 0) std::this_thread::yield();
  // The sync is under way, and everything else goes on meanwhile.
  const Ticket later = this->Put("b", "2");
  EXPECT_EQ(this->Value("b"), "2");
  EXPECT_FALSE(this->store().IsDurable(ticket));
  EXPECT_TRUE(promise.get_future().get().ok());
  // It began before the later commit, so it does not cover it.
  EXPECT_TRUE(this->store().IsDurable(ticket));
  EXPECT_FALSE(this->store().IsDurable(later));
}

TYPED_TEST(StoreDurabilityTest, ReopenKeepsEveryCommit) {
  for (int i = 0; i < 500; ++i) this->Put("k" + std::to_string(i), std::string(300, 'v'));
  this->Put("content", std::string(60'000, 'c'), Table::kContent);
  const Ticket before = this->store().LastTicket();
  this->Open();
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(this->Value("k" + std::to_string(i)), std::string(300, 'v'));
  }
  EXPECT_EQ(this->Value(this->newest(), "content", Table::kContent), std::string(60'000, 'c'));
  EXPECT_GE(this->store().LastTicket(), before);
  EXPECT_TRUE(this->store().IsDurable(this->store().LastTicket()));
}

TYPED_TEST(StoreDurabilityTest, SecondOpenOfTheSameDirectoryIsBusy) {
  EXPECT_TRUE(TypeParam::Open(this->directory_.path()).Is(ErrorCode::kBusy));
  this->store_.reset();
  const auto again = TypeParam::Open(this->directory_.path());
  EXPECT_TRUE(again.ok());
}

TYPED_TEST(StoreDurabilityTest, AnotherProcessFindsItBusyToo) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    _exit(TypeParam::Open(this->directory_.path()).Is(ErrorCode::kBusy) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(RocksStoreOpenTest, DirectoryThatCannotBeMadeIsAnErrorWithItsErrno) {
  const auto opened = OpenRocksStore({.directory = "/proc/no/such/place"});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::kIo);
  EXPECT_EQ(opened.error().system_errno(), ENOENT);
}

TEST(RocksStoreOpenTest, DamagedStoreIsCorruptAndStaysAsItWas) {
  const TemporaryDirectory directory;
  const RocksOptions options{.directory = directory.path() + "/store"};
  { ASSERT_TRUE(OpenRocksStore(options).ok()); }
  const std::string current = options.directory + "/CURRENT";
  std::filesystem::resize_file(current, 3);
  const auto opened = OpenRocksStore(options);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(std::filesystem::file_size(current), 3u);
}

}  // namespace
}  // namespace amphora::meta
