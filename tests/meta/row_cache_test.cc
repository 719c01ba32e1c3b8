// The row cache knows what the store has, never what it had; also while many write and read at
// once.
#include "meta/row_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/meta/store_fixture.h"

namespace amphora::meta {
namespace {

using Value = RowCache::Value;

class RowCacheTest : public ::testing::Test {
 protected:
  void Remember(std::string_view key, const Value& value) {
    cache_.Remember(key, cache_.Generation(), value);
  }
  void Commit(std::string_view key, std::string_view value) {
    RowCache::Changes changes(cache_);
    changes.Put(key, value);
    changes.Announce();
    changes.Committed();
  }

  RowCache cache_{"ab", 1u << 20};
};

TEST_F(RowCacheTest, KeepsTheKindsItWasMadeFor) {
  EXPECT_TRUE(cache_.Caches(Table::kRows, "a1"));
  EXPECT_FALSE(cache_.Caches(Table::kRows, "c1"));
  EXPECT_FALSE(cache_.Caches(Table::kContent, "a1"));
  EXPECT_FALSE(cache_.Caches(Table::kRows, ""));
}

TEST_F(RowCacheTest, KnowsWhatWasReadAndWhatIsNotThere) {
  EXPECT_FALSE(cache_.Find("a"));
  Remember("a", "1");
  Remember("b", std::nullopt);
  EXPECT_EQ(cache_.Find("a"), Value("1"));
  ASSERT_TRUE(cache_.Find("b"));
  EXPECT_EQ(*cache_.Find("b"), std::nullopt);
}

TEST_F(RowCacheTest, ACommitLeavesTheNewValue) {
  Remember("a", "1");
  Commit("a", "2");
  EXPECT_EQ(cache_.Find("a"), Value("2"));
  RowCache::Changes changes(cache_);
  changes.Erase("a");
  changes.Announce();
  EXPECT_FALSE(cache_.Find("a")) << "between the announcement and the outcome nothing is known";
  changes.Committed();
  ASSERT_TRUE(cache_.Find("a"));
  EXPECT_EQ(*cache_.Find("a"), std::nullopt);
}

TEST_F(RowCacheTest, WhatWasReadBesideACommitIsNotRemembered) {
  const std::uint64_t before = cache_.Generation();
  RowCache::Changes changes(cache_);
  changes.Put("a", "2");
  changes.Announce();
  const std::uint64_t during = cache_.Generation();
  for (const std::uint64_t generation : {before, during}) {
    cache_.Remember("a", generation, "1");
    EXPECT_FALSE(cache_.Find("a"));
  }
  changes.Committed();
  cache_.Remember("a", during, "1");
  EXPECT_EQ(cache_.Find("a"), Value("2"));
}

TEST_F(RowCacheTest, AnUnknownOutcomeForgets) {
  Remember("a", "1");
  {
    RowCache::Changes changes(cache_);
    changes.Put("a", "2");
    changes.Announce();
  }
  EXPECT_FALSE(cache_.Find("a"));
  Remember("a", "1");
  EXPECT_TRUE(cache_.Find("a")) << "nothing is in flight any more";
  {
    RowCache::Changes changes(cache_);
    changes.Put("a", "2");
  }
  EXPECT_EQ(cache_.Find("a"), Value("1")) << "never announced: nothing was written";
}

TEST_F(RowCacheTest, OfTwoCommitsAtOnceTheLastIsNotGuessed) {
  RowCache::Changes one(cache_);
  RowCache::Changes two(cache_);
  one.Put("a", "1");
  two.Put("a", "2");
  one.Announce();
  two.Announce();
  two.Committed();
  one.Committed();
  EXPECT_FALSE(cache_.Find("a"));
}

TEST_F(RowCacheTest, TheLastWriteOfATransactionCounts) {
  RowCache::Changes changes(cache_);
  changes.Put("a", "1");
  EXPECT_TRUE(changes.Touches("a"));
  EXPECT_FALSE(changes.Touches("b"));
  changes.Put("a", "2");
  changes.Announce();
  changes.Committed();
  EXPECT_EQ(cache_.Find("a"), Value("2"));
}

TEST_F(RowCacheTest, WhatWasMergedIsReadFromTheStore) {
  Remember("a", "1");
  RowCache::Changes changes(cache_);
  changes.Merge("a");
  changes.Announce();
  changes.Committed();
  EXPECT_FALSE(cache_.Find("a"));
}

TEST_F(RowCacheTest, LargeRowsAreNotKeptAndTheRestIsBounded) {
  Remember("a", std::string(2000, 'x'));
  EXPECT_FALSE(cache_.Find("a"));
  constexpr int kRows = 20'000;
  const std::string value(500, 'v');
  for (int i = 0; i < kRows; ++i) Remember("b" + std::to_string(i), value);
  int known = 0;
  for (int i = 0; i < kRows; ++i) known += cache_.Find("b" + std::to_string(i)) ? 1 : 0;
  EXPECT_GT(known, 500);
  EXPECT_LT(known, 2200) << "1 MiB holds no more";
  EXPECT_TRUE(cache_.Find("b" + std::to_string(kRows - 1)));
}

// Counters that only grow: a reader that gets less than it got before, or than was committed before
// it asked, got a stale row. With a cache so small that rows come and go all the time.
TEST(RowCacheStoreTest, NobodyReadsLessThanWasCommitted) {
  constexpr int kCounters = 8;
  constexpr int kRounds = 5000;
  const TemporaryDirectory directory;
  auto opened = CachingRocksImplementation::Open(directory.path());
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  const auto key = [](int i) { return "counter-" + std::to_string(i); };
  std::array<std::atomic<int>, kCounters> committed{};
  std::atomic<bool> stop{false};
  std::atomic<int> stale{0};
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      for (int round = 0; round < kRounds; ++round) {
        const int i = (round * 3 + writer) % kCounters;
        int next = 0;
        const auto done = Transact(store, [&](Transaction& transaction) -> Status {
          AMPHORA_ASSIGN(const auto found, transaction.Get(Table::kRows, key(i), Lock::kExclusive));
          next = (found ? std::stoi(*found) : 0) + 1;
          return transaction.Put(Table::kRows, key(i), std::to_string(next));
        });
        if (!done.ok()) continue;
        int known = committed[i].load();
        while (known < next && !committed[i].compare_exchange_weak(known, next)) {
        }
      }
      stop = true;
    });
  }
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      const std::string keys[] = {key(0), key(1), key(2)};
      for (int i = reader; !stop; i = (i + 1) % kCounters) {
        const int before = committed[i].load();
        const auto found = store.Newest().Get(Table::kRows, key(i));
        if (!found.ok() || (*found ? std::stoi(**found) : 0) < before) ++stale;
        const int first = committed[0].load();
        const auto many = store.Newest().MultiGet(Table::kRows, keys);
        if (!many.ok() || ((*many)[0] ? std::stoi(*(*many)[0]) : 0) < first) ++stale;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(stale, 0);
  int sum = 0;
  for (int i = 0; i < kCounters; ++i) {
    const auto found = store.Newest().Get(Table::kRows, key(i));
    sum += found.ok() && *found ? std::stoi(**found) : 0;
  }
  EXPECT_EQ(sum, 2 * kRounds) << "a transaction read a stale row";
}

// "All from one committed state": a pair that is always swapped in one transaction.
TEST(RowCacheStoreTest, SeveralRowsAreOfOneState) {
  constexpr int kRounds = 10'000;
  const TemporaryDirectory directory;
  auto opened = CachingRocksImplementation::Open(directory.path());
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  const std::string keys[] = {"one", "two"};
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  const auto swap = [&](int round) {
    return Transact(store, [&](Transaction& transaction) -> Status {
      AMPHORA_TRY(transaction.Put(Table::kRows, keys[round % 2], "here"));
      return transaction.Erase(Table::kRows, keys[1 - round % 2]);
    });
  };
  ASSERT_TRUE(swap(0).ok());
  std::jthread reader([&] {
    while (!stop) {
      const auto both = store.Newest().MultiGet(Table::kRows, keys);
      if (!both.ok() || (*both)[0].has_value() == (*both)[1].has_value()) ++torn;
    }
  });
  for (int round = 1; round < kRounds; ++round) ASSERT_TRUE(swap(round).ok());
  stop = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace amphora::meta
