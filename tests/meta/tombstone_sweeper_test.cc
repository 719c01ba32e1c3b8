// Ranges whose rows were erased in masses are cleared, so that scans stay cheap.
#include "meta/tombstone_sweeper.h"

#include <gtest/gtest.h>
#include <rocksdb/perf_context.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "tests/meta/store_fixture.h"

namespace amphora::meta {
namespace {

// Compactions that are asked for, each held until it is let go.
class Asked {
 public:
  Status Compact(const KeyRange& range) {
    std::unique_lock lock(mutex_);
    ranges_.push_back(range.begin);
    changed_.notify_all();
    changed_.wait(lock, [this] { return go_ >= ranges_.size(); });
    return Ok();
  }
  void LetGo(std::size_t count) {
    std::lock_guard lock(mutex_);
    go_ = count;
    changed_.notify_all();
  }
  std::vector<std::string> WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ranges_.size() >= count; });
    return ranges_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> ranges_;
  std::size_t go_ = 0;
};

TEST(TombstoneSweeperTest, OnlyWhatIsWorthItIsCompactedAndNotTwiceAtOnce) {
  Asked asked;
  {
    TombstoneSweeper sweeper([&](Table, const KeyRange& range) { return asked.Compact(range); });
    sweeper.NoteScan(Table::kRows, {"few", "fex"}, TombstoneSweeper::kWorthSweeping - 1);
    sweeper.NoteScan(Table::kRows, {"many", "mao"}, TombstoneSweeper::kWorthSweeping);
    asked.WaitFor(1);
    sweeper.NoteScan(Table::kRows, {"many", "mao"}, TombstoneSweeper::kWorthSweeping);
    sweeper.NoteScan(Table::kRows, {"next", "neu"}, TombstoneSweeper::kWorthSweeping);
    asked.LetGo(2);
    EXPECT_EQ(asked.WaitFor(2), (std::vector<std::string>{"many", "next"}));
  }
  EXPECT_EQ(asked.WaitFor(2).size(), 2u);
}

TEST(TombstoneSweeperTest, ARangeThatWasEmptiedIsScannedWithoutWading) {
  TemporaryDirectory directory;
  auto store = OpenRocksStore({.directory = directory.path() + "/store"});
  ASSERT_TRUE(store.ok());
  const auto key = [](int i) { return "k" + std::to_string(100'000 + i); };
  constexpr int kRows = 3 * TombstoneSweeper::kWorthSweeping;
  const auto change = [&](bool put, int first, int last) {
    const auto done = Transact(**store, [&](Transaction& tx) -> Status {
      for (int i = first; i < last; ++i) {
        const Status one =
            put ? tx.PutFresh(Table::kRows, key(i), "value") : tx.EraseOwned(Table::kRows, key(i));
        AMPHORA_TRY(one);
      }
      return Ok();
    });
    ASSERT_TRUE(done.ok());
  };
  change(true, 0, kRows);
  change(false, 0, kRows - 1);
  const auto skipped_by_a_scan = [&] {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
    rocksdb::get_perf_context()->Reset();
    const auto rows = (*store)->Newest().Scan(Table::kRows, {"k", "l"}, {.limit = 10});
    EXPECT_TRUE(rows.ok());
    EXPECT_EQ(rows.ok() ? rows->size() : 0, 1u);
    return rocksdb::get_perf_context()->internal_delete_skipped_count;
  };
  ASSERT_GE(skipped_by_a_scan(), TombstoneSweeper::kWorthSweeping);
  // The sweep runs beside us; the test's own time limit is the bound.
  while (skipped_by_a_scan() >= TombstoneSweeper::kWorthSweeping) std::this_thread::yield();
  EXPECT_LT(skipped_by_a_scan(), 100u);
}

}  // namespace
}  // namespace amphora::meta
