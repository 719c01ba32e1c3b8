// What the locks of a transaction exclude and what they leave in parallel. Two transactions of one
// thread stand for two clients, so nothing here depends on timing: a lock that is held either
// conflicts, after the store's bounded wait, or it does not.

#include <thread>

#include "tests/meta/store_fixture.h"

namespace amphora::meta {
namespace {

template <typename T>
class StoreLockTest : public StoreTest<T> {};
TYPED_TEST_SUITE(StoreLockTest, Implementations);

TYPED_TEST(StoreLockTest, SharedLocksGoTogetherAndExcludeWriters) {
  this->Put("parent", "p");
  const auto first = this->store().Begin();
  const auto second = this->store().Begin();
  const auto writer = this->store().Begin();
  EXPECT_TRUE(first->Get(Table::kRows, "parent", Lock::kShared).ok());
  EXPECT_TRUE(second->Get(Table::kRows, "parent", Lock::kShared).ok());
  EXPECT_TRUE(writer->Put(Table::kRows, "parent", "q").Is(ErrorCode::kConflict));
}

TYPED_TEST(StoreLockTest, ExclusiveLockExcludesEveryOtherLockButNoUnlockedRead) {
  this->Put("parent", "p");
  const auto holder = this->store().Begin();
  ASSERT_TRUE(holder->Get(Table::kRows, "parent", Lock::kExclusive).ok());
  const auto other = this->store().Begin();
  EXPECT_TRUE(other->Get(Table::kRows, "parent", Lock::kShared).Is(ErrorCode::kConflict));
  EXPECT_TRUE(other->Get(Table::kRows, "parent", Lock::kExclusive).Is(ErrorCode::kConflict));
  EXPECT_EQ(this->Value(*other, "parent"), "p");
  EXPECT_EQ(this->Value("parent"), "p");
}

TYPED_TEST(StoreLockTest, MissingRowCanBeLocked) {
  const auto holder = this->store().Begin();
  const auto found = holder->Get(Table::kRows, "absent", Lock::kExclusive);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->has_value());
  const auto other = this->store().Begin();
  EXPECT_TRUE(other->Put(Table::kRows, "absent", "v").Is(ErrorCode::kConflict));
}

TYPED_TEST(StoreLockTest, LocksEndWithCommitAndWithTheTransaction) {
  {
    const auto holder = this->store().Begin();
    ASSERT_TRUE(holder->Get(Table::kRows, "a", Lock::kExclusive).ok());
    ASSERT_TRUE(holder->Put(Table::kRows, "b", "1").ok());
    ASSERT_TRUE(holder->Commit().ok());
    // Still in scope: the commit alone let go.
    const auto other = this->store().Begin();
    EXPECT_TRUE(other->Get(Table::kRows, "a", Lock::kExclusive).ok());
  }
  {
    const auto holder = this->store().Begin();
    ASSERT_TRUE(holder->Get(Table::kRows, "a", Lock::kExclusive).ok());
  }
  const auto other = this->store().Begin();
  EXPECT_TRUE(other->Get(Table::kRows, "a", Lock::kExclusive).ok());
}

TYPED_TEST(StoreLockTest, ReadOnlyCommitLetsGoOfItsLocks) {
  const auto holder = this->store().Begin();
  ASSERT_TRUE(holder->Get(Table::kRows, "a", Lock::kExclusive).ok());
  ASSERT_TRUE(holder->Commit().ok());
  const auto other = this->store().Begin();
  EXPECT_TRUE(other->Put(Table::kRows, "a", "v").ok());
}

TYPED_TEST(StoreLockTest, LockedReadSeesTheNewestCommitNotTheTransactionsStart) {
  this->Put("a", "old");
  const auto transaction = this->store().Begin();
  EXPECT_EQ(this->Value(*transaction, "other"), "(none)");
  this->Put("a", "new");
  const auto found = transaction->Get(Table::kRows, "a", Lock::kShared);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, "new");
}

TYPED_TEST(StoreLockTest, SharedLockOfOneselfCanBeRaised) {
  this->Put("a", "1");
  const auto transaction = this->store().Begin();
  ASSERT_TRUE(transaction->Get(Table::kRows, "a", Lock::kShared).ok());
  ASSERT_TRUE(transaction->Put(Table::kRows, "a", "2").ok());
  const auto other = this->store().Begin();
  EXPECT_TRUE(other->Get(Table::kRows, "a", Lock::kShared).Is(ErrorCode::kConflict));
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(this->Value("a"), "2");
}

TYPED_TEST(StoreLockTest, MultiGetLocksEachKeyAlsoMissingOnes) {
  this->Put("a", "1");
  const auto holder = this->store().Begin();
  const std::vector<std::string> keys = {"b", "a"};
  const auto answers = holder->MultiGet(Table::kRows, keys, Lock::kExclusive);
  ASSERT_TRUE(answers.ok());
  EXPECT_EQ(*answers, (std::vector<std::optional<std::string>>{std::nullopt, "1"}));
  const auto other = this->store().Begin();
  EXPECT_TRUE(other->Get(Table::kRows, "a", Lock::kShared).Is(ErrorCode::kConflict));
  EXPECT_TRUE(other->Get(Table::kRows, "b", Lock::kShared).Is(ErrorCode::kConflict));
}

TYPED_TEST(StoreLockTest, MergePutFreshAndEraseOwnedTakeNoLock) {
  this->Put("row", "1");
  const auto holder = this->store().Begin();
  for (const char* key : {"merged", "fresh", "row"}) {
    ASSERT_TRUE(holder->Get(Table::kRows, key, Lock::kExclusive).ok());
  }
  const auto other = this->store().Begin();
  EXPECT_TRUE(other->Merge(Table::kRows, "merged", MergeValue{}).ok());
  EXPECT_TRUE(other->PutFresh(Table::kRows, "fresh", "1").ok());
  EXPECT_TRUE(other->EraseOwned(Table::kRows, "row").ok());
  EXPECT_TRUE(other->Commit().ok());
  EXPECT_EQ(this->Value("row"), "(none)");
}

// Each takes one row and wants the other's: one must be told, and after it let go the other goes
// on.
TYPED_TEST(StoreLockTest, DeadlockIsAConflictForOneAndProgressForTheOther) {
  this->Put("a", "0");
  this->Put("b", "0");
  std::atomic<int> ready{0};
  std::atomic<int> conflicts{0};
  const auto swap = [&](const char* mine, const char* theirs) {
    bool first = true;
    EXPECT_TRUE(Transact(this->store(), [&](Transaction& transaction) -> Status {
                  AMPHORA_TRY(transaction.Put(Table::kRows, mine, "1"));
                  if (first) {
                    first = false;
                    ready.fetch_add(1);
                    while (ready.load() < 2) std::this_thread::yield();
                  }
                  const Status status = transaction.Put(Table::kRows, theirs, "1");
                  if (status.Is(ErrorCode::kConflict)) conflicts.fetch_add(1);
                  return status;
                }).ok());
  };
  std::thread one([&] { swap("a", "b"); });
  std::thread two([&] { swap("b", "a"); });
  one.join();
  two.join();
  EXPECT_GE(conflicts.load(), 1);
  EXPECT_EQ(this->Value("a") + this->Value("b"), "11");
}

TYPED_TEST(StoreLockTest, ConcurrentIncrementsUnderTheExclusiveLockLoseNothing) {
  constexpr int kThreads = 8;
  constexpr int kEach = 500;
  this->Put("n", "0");
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(Transact(this->store(), [&](Transaction& transaction) -> Status {
                      AMPHORA_ASSIGN(const auto found,
                                     transaction.Get(Table::kRows, "n", Lock::kExclusive));
                      return transaction.Put(Table::kRows, "n",
                                             std::to_string(std::stoi(*found) + 1));
                    }).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(this->Value("n"), std::to_string(kThreads * kEach));
}

// Increments that read shared and then write conflict as deadlocks of two raisers; none may be
// lost.
TYPED_TEST(StoreLockTest, RaisingSharedLocksConcurrentlyLosesNothing) {
  constexpr int kThreads = 3;
  constexpr int kEach = 100;
  this->Put("n", "0");
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(
            Transact(this->store(), [&](Transaction& transaction) -> Status {
              AMPHORA_ASSIGN(const auto found, transaction.Get(Table::kRows, "n", Lock::kShared));
              return transaction.Put(Table::kRows, "n", std::to_string(std::stoi(*found) + 1));
            }).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(this->Value("n"), std::to_string(kThreads * kEach));
}

}  // namespace
}  // namespace amphora::meta
