// What the metadata store costs, through its interface alone:
//   Create            a create-shaped transaction: two rows read, five written, two merged; not
//   durable CreateSameParent  the same from several threads that share one parent (shared lock,
//   merged rows) PointGet          one existing or missing row of 200,000 MultiGet          1,000
//   rows by one call Scan              1,000 rows by one call, in both directions DurableCommit one
//   4 KiB content row and two small ones, then WaitDurable, by 1 and 16 threads MergedRow         a
//   row read after 10^6 merges
// Data goes to the directory named by AMPHORA_BENCH_DIR, else to TMPDIR, else /tmp.

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "meta/rocks_store.h"
#include "meta/run.h"

namespace amphora::meta {
namespace {

constexpr std::size_t kRowCount = 200'000;

std::string BigEndian(char kind, std::uint64_t number) {
  std::string key(1, kind);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
  return key;
}

[[noreturn]] void Give(const char* what, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.ToString().c_str());
  std::exit(1);
}
template <typename T>
T Need(const char* what, Result<T> result) {
  if (!result.ok()) Give(what, result.error());
  return std::move(*result);
}
void Need(const char* what, const Status& status) {
  if (!status.ok()) Give(what, status.error());
}

// One store for the whole run, in a fresh directory that goes with it.
class Bed {
 public:
  // A small memtable puts all but the newest rows into tables on the disk.
  explicit Bed(std::size_t memtable_bytes) {
    const char* base = std::getenv("AMPHORA_BENCH_DIR");
    if (base == nullptr) base = std::getenv("TMPDIR");
    directory_ = std::string(base == nullptr ? "/tmp" : base) + "/amphora-meta-bench.XXXXXX";
    if (mkdtemp(directory_.data()) == nullptr) std::exit(1);
    store_ = Need("open", OpenRocksStore({.directory = directory_ + "/store",
                                          .rows_memtable_bytes = memtable_bytes}));
    Fill();
  }
  ~Bed() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Store& store() { return *store_; }

 private:
  void Fill() {
    for (std::size_t from = 0; from < kRowCount; from += 1000) {
      Need("fill", Transact(*store_, [&](Transaction& transaction) -> Status {
             for (std::size_t i = from; i < from + 1000; ++i) {
               AMPHORA_TRY(
                   transaction.PutFresh(Table::kRows, BigEndian('P', i), std::string(100, 'v')));
             }
             return Ok();
           }));
    }
  }
  std::string directory_;
  std::unique_ptr<Store> store_;
};

std::unique_ptr<Bed> g_bed;
std::unique_ptr<Bed> g_tables;  // the same rows, on the disk

Store& Read(bool on_disk) { return (on_disk ? g_tables : g_bed)->store(); }
std::atomic<std::uint64_t> g_next{1};

Status CreateOne(Transaction& transaction, std::uint64_t parent) {
  const std::uint64_t inode = g_next.fetch_add(1, std::memory_order_relaxed);
  const std::string name = "file-" + std::to_string(inode);
  const std::string dentry = BigEndian('D', parent) + name;
  AMPHORA_ASSIGN(const auto held,
                 transaction.Get(Table::kRows, BigEndian('P', parent), Lock::kShared));
  const std::vector<std::string> names = {dentry, dentry + "/"};
  AMPHORA_ASSIGN(const auto taken, transaction.MultiGet(Table::kRows, names, Lock::kExclusive));
  if (!held || taken[0] || taken[1]) return Error(ErrorCode::kExists);
  static const std::string record(90, 'i');
  AMPHORA_TRY(transaction.Put(Table::kRows, dentry, "12345678"));
  AMPHORA_TRY(transaction.PutFresh(Table::kRows, BigEndian('I', inode), record));
  AMPHORA_TRY(
      transaction.PutFresh(Table::kRows, BigEndian('L', parent) + BigEndian('L', inode), name));
  AMPHORA_TRY(transaction.PutFresh(Table::kRows, BigEndian('W', inode), ""));
  AMPHORA_TRY(transaction.PutFresh(Table::kRows, BigEndian('X', inode), "attribute"));
  MergeValue operand;
  operand.sums[0] = 1;
  operand.latest[0] = operand.latest[1] = {.stamp = inode, .value = 1'700'000'000'000'000'000};
  AMPHORA_TRY(transaction.Merge(Table::kRows, BigEndian('S', parent), operand));
  return transaction.Merge(Table::kRows, BigEndian('U', 1), operand);
}

void BM_Create(benchmark::State& state) {
  for (auto _ : state) {
    Need("create", Transact(g_bed->store(), [&](Transaction& transaction) {
           return CreateOne(transaction, 1 + static_cast<std::uint64_t>(state.thread_index()));
         }));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Create)->Name("Create")->Threads(1)->Threads(2)->Threads(8)->UseRealTime();

void BM_CreateSameParent(benchmark::State& state) {
  for (auto _ : state) {
    Need("create", Transact(g_bed->store(),
                            [](Transaction& transaction) { return CreateOne(transaction, 77); }));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_CreateSameParent)->Name("CreateSameParent")->Threads(2)->Threads(8)->UseRealTime();

void BM_PointGet(benchmark::State& state) {
  Reader& reader = Read(state.range(0) != 0).Newest();
  const bool missing = state.range(1) != 0;
  std::uint64_t number = 1;
  for (auto _ : state) {
    number = (number * 2862933555777941757ull + 3037000493ull);
    // A missing key lies between existing ones: only a filter can spare its search.
    std::string key = BigEndian('P', (number >> 20) % kRowCount);
    if (missing) key.push_back('x');
    benchmark::DoNotOptimize(Need("get", reader.Get(Table::kRows, key)));
  }
}
BENCHMARK(BM_PointGet)
    ->Name("PointGet")
    ->ArgNames({"disk", "missing"})
    ->ArgsProduct({{0, 1}, {0, 1}});

void BM_TransactionGet(benchmark::State& state) {
  std::uint64_t number = 1;
  for (auto _ : state) {
    number = (number * 2862933555777941757ull + 3037000493ull);
    const std::string key = BigEndian('P', (number >> 20) % kRowCount);
    const auto transaction = g_bed->store().Begin();
    benchmark::DoNotOptimize(Need("get", transaction->Get(Table::kRows, key, Lock::kShared)));
    benchmark::DoNotOptimize(Need("commit", transaction->Commit()));
  }
}
BENCHMARK(BM_TransactionGet)->Name("TransactionGetShared");

void BM_MultiGet(benchmark::State& state) {
  Reader& reader = Read(state.range(0) != 0).Newest();
  const auto count = static_cast<std::size_t>(state.range(1));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back(BigEndian('P', (i * 7919) % kRowCount));
  for (auto _ : state) {
    benchmark::DoNotOptimize(Need("multi_get", reader.MultiGet(Table::kRows, keys)));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
BENCHMARK(BM_MultiGet)
    ->Name("MultiGet")
    ->ArgNames({"disk", "rows"})
    ->ArgsProduct({{0, 1}, {2, 1000}});

void BM_Scan(benchmark::State& state) {
  Reader& reader = Read(state.range(0) != 0).Newest();
  const auto direction = state.range(1) == 0 ? Direction::kForward : Direction::kBackward;
  const auto limit = static_cast<std::size_t>(state.range(2));
  const KeyRange range{BigEndian('P', 50'000), BigEndian('P', 60'000)};
  for (auto _ : state) {
    benchmark::DoNotOptimize(Need("scan", reader.Scan(Table::kRows, range, {limit, direction})));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(limit));
}
BENCHMARK(BM_Scan)
    ->Name("Scan")
    ->ArgNames({"disk", "backward", "rows"})
    ->ArgsProduct({{0, 1}, {0, 1}, {1, 1000}});

void BM_DurableCommit(benchmark::State& state) {
  const std::string content(4096, 'c');
  Store& store = g_bed->store();
  for (auto _ : state) {
    const std::uint64_t inode = g_next.fetch_add(1, std::memory_order_relaxed);
    const auto done =
        Need("commit", Transact(store, [&](Transaction& transaction) -> Status {
               AMPHORA_TRY(transaction.PutFresh(Table::kContent, BigEndian('C', inode), content));
               AMPHORA_TRY(
                   transaction.PutFresh(Table::kRows, BigEndian('I', inode), std::string(90, 'i')));
               return transaction.PutFresh(Table::kRows, BigEndian('D', inode), "name");
             }));
    Need("sync", store.WaitDurable(done.ticket));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_DurableCommit)->Name("DurableCommit4K")->Threads(1)->Threads(16)->UseRealTime();

void BM_MergedRow(benchmark::State& state) {
  Store& store = g_bed->store();
  const std::string key = BigEndian('S', 999);
  static const bool filled = [&] {
    MergeValue operand;
    operand.sums[0] = 1;
    for (int i = 0; i < 1'000'000; ++i) {
      const auto transaction = store.Begin();
      Need("merge", transaction->Merge(Table::kRows, key, operand));
      Need("commit", transaction->Commit());
    }
    return true;
  }();
  benchmark::DoNotOptimize(filled);
  for (auto _ : state) {
    const auto bytes = Need("get", store.Newest().Get(Table::kRows, key));
    if (!bytes || Need("decode", DecodeMergeValue(*bytes)).sums[0] != 1'000'000) std::exit(1);
  }
}
BENCHMARK(BM_MergedRow)->Name("MergedRow");

}  // namespace
}  // namespace amphora::meta

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  amphora::meta::g_bed = std::make_unique<amphora::meta::Bed>(64u << 20);
  amphora::meta::g_tables = std::make_unique<amphora::meta::Bed>(2u << 20);
  benchmark::RunSpecifiedBenchmarks();
  amphora::meta::g_bed.reset();
  amphora::meta::g_tables.reset();
  return 0;
}
