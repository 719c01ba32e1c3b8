// Reads of the committed state, newest or of one snapshot, and what transactions share with them.
// Internal to the RocksDB store.
#pragma once

#include <rocksdb/utilities/transaction_db.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "meta/kv.h"
#include "meta/row_cache.h"
#include "meta/tombstone_sweeper.h"

namespace amphora::meta {

// The column families by Table; their handles belong to the store.
using Families = std::array<rocksdb::ColumnFamilyHandle*, 2>;

inline rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline rocksdb::ColumnFamilyHandle* FamilyOf(const Families& families, Table table) {
  return families[static_cast<std::size_t>(table)];
}

// What a point read found: the value, nothing, or an error.
Result<std::optional<std::string>> Found(const rocksdb::Status& status, std::string value);

// Reads `keys` by one call of `read(count, slices, values, statuses)`.
template <typename Read>
Result<std::vector<std::optional<std::string>>> ReadMany(std::span<const std::string> keys,
                                                         Read&& read);

// Counts point reads that the row cache answered.
void CountKnown(std::size_t rows);
// The row from `cache`, or by `read()`, whose answer is then remembered.
template <typename Read>
Result<std::optional<std::string>> GetThrough(RowCache& cache, std::string_view key, Read&& read);
// The same for several rows of one state.
template <typename Read>
Result<std::vector<std::optional<std::string>>> ReadManyThrough(RowCache& cache,
                                                                std::span<const std::string> keys,
                                                                Read&& read);

// The rows of `range` that `iterator` yields, which need not know the range's bounds. Adds to
// `skipped` how many erased rows it passed over.
Result<std::vector<Row>> CollectRows(rocksdb::Iterator& iterator, const KeyRange& range,
                                     const ScanOptions& options, std::uint64_t& skipped);

// Bounds that let RocksDB skip what lies outside a range. Holds slices of `range`: keep both alive
// as long as the iterator.
class Bounds {
 public:
  explicit Bounds(const KeyRange& range) : lower_(range.begin), upper_(range.end) {}
  Bounds(const Bounds&) = delete;
  Bounds& operator=(const Bounds&) = delete;
  void ApplyTo(rocksdb::ReadOptions& read) const {
    ApplyLowerTo(read);
    if (!upper_.empty()) read.iterate_upper_bound = &upper_;
  }
  // For a backward scan over a transaction's own writes: RocksDB takes an own row at the upper
  // bound for the end of the scan, where it is the start.
  void ApplyLowerTo(rocksdb::ReadOptions& read) const { read.iterate_lower_bound = &lower_; }

 private:
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
};

inline bool IsEmpty(const KeyRange& range) {
  return !range.end.empty() && range.end <= range.begin;
}
// kInvalidArgument when the limit is out of range.
Status CheckScan(const ScanOptions& options);

// Without a snapshot: each read sees the newest state; then it is thread-safe.
class RocksReader final : public Reader {
 public:
  enum class View { kNewest, kSnapshot };
  RocksReader(rocksdb::TransactionDB& database, const Families& families, TombstoneSweeper& sweeper,
              RowCache& cache, View view);
  ~RocksReader() override;
  RocksReader(const RocksReader&) = delete;
  RocksReader& operator=(const RocksReader&) = delete;

  Result<std::optional<std::string>> Get(Table table, std::string_view key) override;
  Result<std::vector<std::optional<std::string>>> MultiGet(
      Table table, std::span<const std::string> keys) override;
  Result<std::vector<Row>> Scan(Table table, const KeyRange& range,
                                const ScanOptions& options) override;

 private:
  rocksdb::ReadOptions Read() const;

  rocksdb::TransactionDB& database_;
  const Families& families_;
  TombstoneSweeper& sweeper_;
  RowCache& cache_;                              // only asked without a snapshot
  const rocksdb::Snapshot* snapshot_ = nullptr;  // released by the destructor; null: newest
};

template <typename Read>
Result<std::vector<std::optional<std::string>>> ReadMany(std::span<const std::string> keys,
                                                         Read&& read) {
  std::vector<rocksdb::Slice> slices;
  slices.reserve(keys.size());
  for (const std::string& key : keys) slices.emplace_back(key);
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  read(keys.size(), slices.data(), values.data(), statuses.data());
  std::vector<std::optional<std::string>> answers;
  answers.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Result<std::optional<std::string>> answer =
        Found(statuses[i], statuses[i].ok() ? values[i].ToString() : std::string());
    if (!answer.ok()) return answer.error();
    answers.push_back(std::move(*answer));
  }
  return answers;
}

template <typename Read>
Result<std::optional<std::string>> GetThrough(RowCache& cache, std::string_view key, Read&& read) {
  if (auto known = cache.Find(key)) {
    CountKnown(1);
    return std::move(*known);
  }
  const std::uint64_t generation = cache.Generation();
  Result<std::optional<std::string>> answer = read();
  if (answer.ok()) cache.Remember(key, generation, *answer);
  return answer;
}

template <typename Read>
Result<std::vector<std::optional<std::string>>> ReadManyThrough(RowCache& cache,
                                                                std::span<const std::string> keys,
                                                                Read&& read) {
  const std::uint64_t generation = cache.Generation();
  std::vector<std::optional<std::string>> known;
  known.reserve(keys.size());
  for (const std::string& key : keys) {
    auto value = cache.Find(key);
    if (!value) break;
    known.push_back(std::move(*value));
  }
  if (known.size() == keys.size() && cache.Generation() == generation) {
    CountKnown(keys.size());
    return known;
  }
  Result<std::vector<std::optional<std::string>>> answers = read();
  if (!answers.ok()) return answers;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    cache.Remember(keys[i], generation, (*answers)[i]);
  }
  return answers;
}

}  // namespace amphora::meta
