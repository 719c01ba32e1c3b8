// The guard rule under real concurrency: who adds a child takes the parent's row shared, who
// removes the parent takes it exclusively before the scan that proves it empty. 10^5 races of one
// adder and one remover each; afterwards no child is without its parent. The canary shows that the
// races are real: without the guard the same workload does leave orphans.

#include <array>
#include <atomic>
#include <barrier>
#include <thread>

#include "tests/meta/store_fixture.h"
#include "tests/support/scale.h"

namespace amphora::meta {
namespace {

std::string ParentKey(int number) { return "I" + std::to_string(1'000'000 + number); }
std::string ChildPrefix(int number) { return "D" + std::to_string(1'000'000 + number) + "/"; }
KeyRange ChildrenOf(int number) {
  return {ChildPrefix(number), "D" + std::to_string(1'000'000 + number) + "0"};
}

// create: kNotFound when the parent is gone.
Status AddChild(Transaction& transaction, int parent, Lock guard) {
  AMPHORA_ASSIGN(const auto row, transaction.Get(Table::kRows, ParentKey(parent), guard));
  if (!row) return Error(ErrorCode::kNotFound);
  return transaction.Put(Table::kRows, ChildPrefix(parent) + "child", "x");
}

// rmdir: kNotEmpty when the scan finds a child.
Status RemoveParent(Transaction& transaction, int parent, Lock guard) {
  AMPHORA_ASSIGN(const auto row, transaction.Get(Table::kRows, ParentKey(parent), guard));
  AMPHORA_ASSIGN(const auto children,
                 transaction.Scan(Table::kRows, ChildrenOf(parent), {.limit = 1}));
  if (!children.empty()) return Error(ErrorCode::kNotEmpty);
  return transaction.EraseOwned(Table::kRows, ParentKey(parent));
}

struct Outcome {
  int both = 0;  // the child was added and the parent removed: one orphan each
  int added = 0;
  int removed = 0;
};

// Both sides start each race together. A batch of parents is made at once, outside of the races.
template <typename Body>
Outcome Race(Store& store, int races, Body&& body) {
  constexpr int kBatch = 500;
  std::barrier sync(2);
  std::vector<std::array<bool, 2>> succeeded(static_cast<std::size_t>(races));
  const auto side = [&](int which) {
    for (int number = 0; number < races; ++number) {
      if (which == 0 && number % kBatch == 0) {
        EXPECT_TRUE(Transact(store, [&](Transaction& transaction) -> Status {
                      for (int i = number; i < std::min(number + kBatch, races); ++i) {
                        AMPHORA_TRY(transaction.PutFresh(Table::kRows, ParentKey(i), "alive"));
                      }
                      return Ok();
                    }).ok());
      }
      sync.arrive_and_wait();
      succeeded[static_cast<std::size_t>(number)][static_cast<std::size_t>(which)] =
          body(which, number);
    }
  };
  std::thread remover([&] { side(1); });
  side(0);
  remover.join();
  Outcome outcome;
  for (const auto& [added, removed] : succeeded) {
    outcome.both += added && removed;
    outcome.added += added;
    outcome.removed += removed;
  }
  return outcome;
}

int CountOrphans(Store& store, int races) {
  int orphans = 0;
  for (int number = 0; number < races; ++number) {
    const std::vector<std::string> keys = {ParentKey(number), ChildPrefix(number) + "child"};
    const auto rows = store.Newest().MultiGet(Table::kRows, keys);
    EXPECT_TRUE(rows.ok());
    orphans += !(*rows)[0] && (*rows)[1];
  }
  return orphans;
}

template <typename T>
class StoreRaceTest : public StoreTest<T> {};
// The small memtables change nothing here but the time that it takes.
TYPED_TEST_SUITE(StoreRaceTest, ::testing::Types<RocksImplementation>);

TYPED_TEST(StoreRaceTest, GuardLeavesNoOrphanInAHundredThousandRaces) {
  const int races = test::Scaled(100'000, 1000);
  const Outcome outcome = Race(this->store(), races, [&](int which, int number) {
    return Transact(this->store(),
                    [&](Transaction& transaction) {
                      return which == 0 ? AddChild(transaction, number, Lock::kShared)
                                        : RemoveParent(transaction, number, Lock::kExclusive);
                    })
        .ok();
  });
  EXPECT_EQ(outcome.both, 0);
  // Exactly one side wins each race, and both sides win some: the races did meet.
  EXPECT_EQ(outcome.added + outcome.removed, races);
  EXPECT_GT(outcome.added, 0);
  EXPECT_GT(outcome.removed, 0);
  EXPECT_EQ(CountOrphans(this->store(), races), 0);
}

TYPED_TEST(StoreRaceTest, CanaryWithoutTheGuardLeavesOrphans) {
  // Both sides meet again between their reads and their writes, so that the canary needs no luck.
  std::barrier between(2);
  constexpr int kRaces = 20;
  const Outcome outcome = Race(this->store(), kRaces, [&](int which, int number) {
    return Transact(this->store(),
                    [&](Transaction& transaction) -> Status {
                      const Status status = which == 0
                                                ? AddChild(transaction, number, Lock::kNone)
                                                : RemoveParent(transaction, number, Lock::kNone);
                      between.arrive_and_wait();
                      return status;
                    })
        .ok();
  });
  EXPECT_EQ(outcome.both, kRaces);
  EXPECT_EQ(CountOrphans(this->store(), kRaces), kRaces);
}

// Write skew: each of two transactions reads both rows and clears its own only if the other is set.
// With locked reads one of them must see the other's write; at least one row stays set.
TYPED_TEST(StoreRaceTest, LockedReadsExcludeWriteSkew) {
  const int races = test::Scaled(20'000, 200);
  std::barrier sync(2, [&]() noexcept {
    (void)Transact(this->store(), [&](Transaction& transaction) -> Status {
      AMPHORA_TRY(transaction.Put(Table::kRows, "left", "1"));
      return transaction.Put(Table::kRows, "right", "1");
    });
  });
  std::barrier done(2);
  std::atomic<int> skews{0};
  const auto side = [&](const char* mine, bool checks) {
    for (int i = 0; i < races; ++i) {
      sync.arrive_and_wait();
      EXPECT_TRUE(Transact(this->store(), [&](Transaction& transaction) -> Status {
                    const std::vector<std::string> keys = {"left", "right"};
                    AMPHORA_ASSIGN(const auto rows,
                                   transaction.MultiGet(Table::kRows, keys, Lock::kShared));
                    if (*rows[0] == "0" || *rows[1] == "0") return Ok();
                    return transaction.Put(Table::kRows, mine, "0");
                  }).ok());
      done.arrive_and_wait();
      if (checks && this->Value("left") == "0" && this->Value("right") == "0") ++skews;
    }
  };
  std::thread other([&] { side("right", false); });
  side("left", true);
  other.join();
  EXPECT_EQ(skews.load(), 0);
}

// Creates in one directory share its row: none of them waits for another or conflicts.
TYPED_TEST(StoreRaceTest, CreatesInOneDirectoryNeverConflict) {
  constexpr int kThreads = 4;
  const int each = test::Scaled(2'000, 100);
  this->Put(ParentKey(0), "alive");
  const auto conflicts = Value(Counter::kStoreConflicts);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        const std::string name = ChildPrefix(0) + std::to_string(t) + "-" + std::to_string(i);
        EXPECT_TRUE(Transact(this->store(), [&](Transaction& transaction) -> Status {
                      AMPHORA_ASSIGN(const auto row,
                                     transaction.Get(Table::kRows, ParentKey(0), Lock::kShared));
                      if (!row) return Error(ErrorCode::kNotFound);
                      AMPHORA_TRY(transaction.Put(Table::kRows, name, "x"));
                      MergeValue one;
                      one.sums[0] = 1;
                      return transaction.Merge(Table::kRows, "S0", one);
                    }).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Value(Counter::kStoreConflicts), conflicts);
  const auto rows = this->newest().Scan(Table::kRows, ChildrenOf(0), {.limit = 100'000});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->size(), static_cast<std::size_t>(kThreads * each));
}

}  // namespace
}  // namespace amphora::meta
