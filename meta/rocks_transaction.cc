#include "meta/rocks_transaction.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "meta/base/metrics.h"
#include "meta/rocks_status.h"

namespace amphora::meta {
namespace {

// Idle transactions kept: as many as threads are likely to commit at once.
constexpr std::size_t kMostIdle = 64;
// A batch keeps its capacity when it is cleared.
constexpr std::size_t kLargestKeptBatch = 256 << 10;

rocksdb::TransactionOptions HowToLock(int timeout_ms) {
  rocksdb::TransactionOptions options;
  options.deadlock_detect = true;
  options.lock_timeout = timeout_ms;
  return options;
}

constexpr Error kEnded(ErrorCode::kInvalidArgument, "the transaction has ended");

}  // namespace

TransactionPool::TransactionPool(rocksdb::TransactionDB& database, int lock_timeout_ms)
    : database_(database), how_to_lock_(HowToLock(lock_timeout_ms)) {}

std::unique_ptr<rocksdb::Transaction> TransactionPool::Take() {
  static const rocksdb::WriteOptions
      not_synced;  // written to the log at each commit; synced on demand
  std::unique_ptr<rocksdb::Transaction> idle;
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      idle = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  return std::unique_ptr<rocksdb::Transaction>(
      database_.BeginTransaction(not_synced, how_to_lock_, idle.release()));
}

void TransactionPool::Return(std::unique_ptr<rocksdb::Transaction> transaction) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(transaction));
}

RocksTransaction::RocksTransaction(const Context& context)
    : context_(context), transaction_(context.pool.Take()), changes_(context.cache) {}

RocksTransaction::~RocksTransaction() {
  if (phase_ == Phase::kFailed || oversized_) return;
  // A committed transaction released its locks; an abandoned one does so here.
  if (phase_ == Phase::kOpen && !transaction_->Rollback().ok()) return;
  context_.pool.Return(std::move(transaction_));
}

Result<std::optional<std::string>> RocksTransaction::Get(Table table, std::string_view key) {
  const auto read = [&](bool own_writes) -> Result<std::optional<std::string>> {
    Count(Counter::kStoreGets);
    std::string value;
    const rocksdb::ReadOptions how;
    const rocksdb::Status status =
        own_writes ? transaction_->Get(how, Family(table), ToSlice(key), &value)
                   : context_.database.Get(how, Family(table), ToSlice(key), &value);
    return Found(status, std::move(value));
  };
  return Guarded([&]() -> Result<std::optional<std::string>> {
    if (phase_ != Phase::kOpen) return kEnded;
    if (!MayUseCache(table, key)) return read(Writes() != 0);
    return GetThrough(context_.cache, key, [&] { return read(false); });
  });
}

Result<std::vector<std::optional<std::string>>> RocksTransaction::MultiGet(
    Table table, std::span<const std::string> keys) {
  const auto read = [&](bool own_writes) {
    Count(Counter::kStoreGets, keys.size());
    return ReadMany(keys, [&](std::size_t count, const rocksdb::Slice* slices,
                              rocksdb::PinnableSlice* values, rocksdb::Status* statuses) {
      const rocksdb::ReadOptions how;
      if (own_writes) {
        transaction_->MultiGet(how, Family(table), count, slices, values, statuses);
      } else {
        context_.database.MultiGet(how, Family(table), count, slices, values, statuses);
      }
    });
  };
  return Guarded([&]() -> Result<std::vector<std::optional<std::string>>> {
    if (phase_ != Phase::kOpen) return kEnded;
    const bool cached =
        std::ranges::all_of(keys, [&](const auto& key) { return MayUseCache(table, key); });
    if (!cached) return read(Writes() != 0);
    return ReadManyThrough(context_.cache, keys, [&] { return read(false); });
  });
}

Result<std::vector<Row>> RocksTransaction::Scan(Table table, const KeyRange& range,
                                                const ScanOptions& options) {
  return Guarded([&]() -> Result<std::vector<Row>> {
    if (phase_ != Phase::kOpen) return kEnded;
    AMPHORA_TRY(CheckScan(options));
    if (IsEmpty(range)) return std::vector<Row>();
    const Bounds bounds(range);
    rocksdb::ReadOptions read;
    const bool own_writes = Writes() != 0;
    if (own_writes && options.direction == Direction::kBackward) {
      bounds.ApplyLowerTo(read);
    } else {
      bounds.ApplyTo(read);
    }
    const std::unique_ptr<rocksdb::Iterator> iterator(
        own_writes ? transaction_->GetIterator(read, Family(table))
                   : context_.database.NewIterator(read, Family(table)));
    std::uint64_t skipped = 0;
    auto rows = CollectRows(*iterator, range, options, skipped);
    context_.sweeper.NoteScan(table, range, skipped);
    return rows;
  });
}

Status RocksTransaction::TakeLock(Table table, std::string_view key, Lock lock) {
  if (lock == Lock::kNone) return Ok();
  // Without a place for the value it only locks.
  return ToStatus(transaction_->GetForUpdate(rocksdb::ReadOptions(), Family(table), ToSlice(key),
                                             static_cast<std::string*>(nullptr),
                                             lock == Lock::kExclusive));
}

Result<std::optional<std::string>> RocksTransaction::Get(Table table, std::string_view key,
                                                         Lock lock) {
  if (phase_ != Phase::kOpen) return kEnded;
  AMPHORA_TRY(Guarded([&] { return TakeLock(table, key, lock); }));
  return Get(table, key);
}

Status RocksTransaction::LockRow(Table table, std::string_view key, Lock lock) {
  if (phase_ != Phase::kOpen) return kEnded;
  return Guarded([&] { return TakeLock(table, key, lock); });
}

Result<std::vector<std::optional<std::string>>> RocksTransaction::MultiGet(
    Table table, std::span<const std::string> keys, Lock lock) {
  if (phase_ != Phase::kOpen) return kEnded;
  if (lock == Lock::kNone) return MultiGet(table, keys);
  AMPHORA_TRY(Guarded([&]() -> Status {
    // In key order, so that two calls over the same rows can't deadlock each other.
    std::vector<std::size_t> order(keys.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
    for (const std::size_t i : order) AMPHORA_TRY(TakeLock(table, keys[i], lock));
    return Ok();
  }));
  return MultiGet(table, keys);
}

Status RocksTransaction::Put(Table table, std::string_view key, std::string_view value) {
  return Guarded([&]() -> Status {
    if (phase_ != Phase::kOpen) return kEnded;
    if (context_.cache.Caches(table, key)) changes_.Put(key, value);
    return ToStatus(transaction_->Put(Family(table), ToSlice(key), ToSlice(value)));
  });
}

Status RocksTransaction::Erase(Table table, std::string_view key) {
  return Guarded([&]() -> Status {
    if (phase_ != Phase::kOpen) return kEnded;
    if (context_.cache.Caches(table, key)) changes_.Erase(key);
    return ToStatus(transaction_->Delete(Family(table), ToSlice(key)));
  });
}

Status RocksTransaction::PutFresh(Table table, std::string_view key, std::string_view value) {
  return Guarded([&]() -> Status {
    if (phase_ != Phase::kOpen) return kEnded;
    if (context_.cache.Caches(table, key)) changes_.Put(key, value);
    return ToStatus(Batch().Put(Family(table), ToSlice(key), ToSlice(value)));
  });
}

Status RocksTransaction::EraseOwned(Table table, std::string_view key) {
  return Guarded([&]() -> Status {
    if (phase_ != Phase::kOpen) return kEnded;
    if (context_.cache.Caches(table, key)) changes_.Erase(key);
    return ToStatus(Batch().Delete(Family(table), ToSlice(key)));
  });
}

Status RocksTransaction::Merge(Table table, std::string_view key, const MergeValue& operand) {
  return Guarded([&]() -> Status {
    if (phase_ != Phase::kOpen) return kEnded;
    if (context_.cache.Caches(table, key)) changes_.Merge(key);
    return ToStatus(Batch().Merge(Family(table), ToSlice(key), EncodeMergeValue(operand)));
  });
}

Result<Ticket> RocksTransaction::Commit() {
  return Guarded([&]() -> Result<Ticket> {
    if (phase_ != Phase::kOpen) return kEnded;
    const std::size_t writes = Writes();
    if (writes == 0) {
      const Ticket newest = context_.database.GetLatestSequenceNumber();
      AMPHORA_TRY(ToStatus(transaction_->Rollback()));  // lets go of the locks
      phase_ = Phase::kCommitted;
      return newest;
    }
    if (context_.syncer.poisoned()) return Error(ErrorCode::kPoisoned, "commit");
    oversized_ = Batch().GetWriteBatch()->GetDataSize() > kLargestKeptBatch;
    phase_ = Phase::kFailed;
    changes_.Announce();
    const rocksdb::Status status = transaction_->Commit();
    if (!status.ok()) {
      const Error error = ToError(status);
      if (error.code() != ErrorCode::kConflict) context_.health.CommitFailed(error.code());
      return error;
    }
    context_.health.CommitSucceeded();
    phase_ = Phase::kCommitted;
    changes_.Committed();
    Count(Counter::kStoreWrites, writes);
    Count(Counter::kStoreCommits);
    // At least the number of this commit's last row: it is published before Commit returns.
    return context_.database.GetLatestSequenceNumber();
  });
}

}  // namespace amphora::meta
