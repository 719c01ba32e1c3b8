#include "meta/rocks_reader.h"

#include <rocksdb/perf_context.h>

#include <utility>

#include "meta/base/metrics.h"
#include "meta/rocks_status.h"

namespace amphora::meta {
namespace {

constexpr std::size_t kMostRowsAScan = 100'000;

// Moves to the last row of the range. Not by SeekToLast: an iterator over a transaction's own
// writes knows no bounds.
void SeekToEnd(rocksdb::Iterator& iterator, const KeyRange& range) {
  if (range.end.empty()) return iterator.SeekToLast();
  iterator.SeekForPrev(range.end);
  while (iterator.Valid() && iterator.key().compare(range.end) >= 0) iterator.Prev();
}

// Lets RocksDB count on this thread what its iterators skip.
class SkipCount {
 public:
  SkipCount() : before_(rocksdb::GetPerfLevel()) {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
    start_ = rocksdb::get_perf_context()->internal_delete_skipped_count;
  }
  ~SkipCount() { rocksdb::SetPerfLevel(before_); }
  SkipCount(const SkipCount&) = delete;
  SkipCount& operator=(const SkipCount&) = delete;
  std::uint64_t Get() const {
    return rocksdb::get_perf_context()->internal_delete_skipped_count - start_;
  }

 private:
  const rocksdb::PerfLevel before_;
  std::uint64_t start_ = 0;
};

bool Inside(const rocksdb::Slice& key, const KeyRange& range) {
  return key.compare(range.begin) >= 0 && (range.end.empty() || key.compare(range.end) < 0);
}

}  // namespace

Result<std::optional<std::string>> Found(const rocksdb::Status& status, std::string value) {
  if (status.ok()) return std::optional<std::string>(std::move(value));
  if (status.IsNotFound()) return std::optional<std::string>();
  return ToError(status);
}

void CountKnown(std::size_t rows) {
  Count(Counter::kStoreGets, rows);
  Count(Counter::kRowCacheHits, rows);
}

Status CheckScan(const ScanOptions& options) {
  if (options.limit == 0 || options.limit > kMostRowsAScan) {
    return Error(ErrorCode::kInvalidArgument, "scan limit");
  }
  return Ok();
}

Result<std::vector<Row>> CollectRows(rocksdb::Iterator& iterator, const KeyRange& range,
                                     const ScanOptions& options, std::uint64_t& skipped) {
  const SkipCount skips;
  const bool forward = options.direction == Direction::kForward;
  std::vector<Row> rows;
  if (forward) {
    iterator.Seek(range.begin);
  } else {
    SeekToEnd(iterator, range);
  }
  while (iterator.Valid() && rows.size() < options.limit && Inside(iterator.key(), range)) {
    rows.push_back(Row{iterator.key().ToString(), iterator.value().ToString()});
    if (rows.size() == options.limit) break;
    forward ? iterator.Next() : iterator.Prev();
  }
  Count(Counter::kStoreScans);
  Count(Counter::kStoreScanRows, rows.size());
  skipped += skips.Get();
  if (!iterator.status().ok()) return ToError(iterator.status());
  return rows;
}

RocksReader::RocksReader(rocksdb::TransactionDB& database, const Families& families,
                         TombstoneSweeper& sweeper, RowCache& cache, View view)
    : database_(database), families_(families), sweeper_(sweeper), cache_(cache) {
  if (view == View::kSnapshot) snapshot_ = database_.GetSnapshot();
}

RocksReader::~RocksReader() {
  if (snapshot_ != nullptr) database_.ReleaseSnapshot(snapshot_);
}

rocksdb::ReadOptions RocksReader::Read() const {
  rocksdb::ReadOptions read;
  read.snapshot = snapshot_;
  return read;
}

Result<std::optional<std::string>> RocksReader::Get(Table table, std::string_view key) {
  const auto read = [&]() -> Result<std::optional<std::string>> {
    Count(Counter::kStoreGets);
    std::string value;
    const rocksdb::Status status =
        database_.Get(Read(), FamilyOf(families_, table), ToSlice(key), &value);
    return Found(status, std::move(value));
  };
  return Guarded([&] {
    const bool cached = snapshot_ == nullptr && cache_.Caches(table, key);
    return cached ? GetThrough(cache_, key, read) : read();
  });
}

Result<std::vector<std::optional<std::string>>> RocksReader::MultiGet(
    Table table, std::span<const std::string> keys) {
  const auto read = [&] {
    Count(Counter::kStoreGets, keys.size());
    return ReadMany(keys, [&](std::size_t count, const rocksdb::Slice* slices,
                              rocksdb::PinnableSlice* values, rocksdb::Status* statuses) {
      database_.MultiGet(Read(), FamilyOf(families_, table), count, slices, values, statuses);
    });
  };
  return Guarded([&] {
    const bool cached = snapshot_ == nullptr && cache_.CachesAll(table, keys);
    return cached ? ReadManyThrough(cache_, keys, read) : read();
  });
}

Result<std::vector<Row>> RocksReader::Scan(Table table, const KeyRange& range,
                                           const ScanOptions& options) {
  return Guarded([&]() -> Result<std::vector<Row>> {
    AMPHORA_TRY(CheckScan(options));
    if (IsEmpty(range)) return std::vector<Row>();
    const Bounds bounds(range);
    rocksdb::ReadOptions read = Read();
    bounds.ApplyTo(read);
    const std::unique_ptr<rocksdb::Iterator> iterator(
        database_.NewIterator(read, FamilyOf(families_, table)));
    std::uint64_t skipped = 0;
    auto rows = CollectRows(*iterator, range, options, skipped);
    sweeper_.NoteScan(table, range, skipped);
    return rows;
  });
}

}  // namespace amphora::meta
