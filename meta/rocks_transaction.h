// Read-write transactions on RocksDB's pessimistic TransactionDB (WriteCommitted), and the pool of
// RocksDB's transaction objects, which cost more to make than a small commit takes.
// Internal to the RocksDB store.
//
// Writes that must not lock (Merge, PutFresh, EraseOwned) go straight into the transaction's write
// batch: TransactionDB's "untracked" calls skip validation but still take the key's lock.
#pragma once

#include <rocksdb/utilities/transaction.h>
#include <rocksdb/utilities/transaction_db.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "meta/kv.h"
#include "meta/log_syncer.h"
#include "meta/rocks_reader.h"

namespace amphora::meta {

// Thread-safe.
class TransactionPool {
 public:
  TransactionPool(rocksdb::TransactionDB& database, int lock_timeout_ms);
  TransactionPool(const TransactionPool&) = delete;
  TransactionPool& operator=(const TransactionPool&) = delete;

  // A fresh transaction; holds no lock, has written nothing.
  std::unique_ptr<rocksdb::Transaction> Take();
  // `transaction` must hold no lock any more.
  void Return(std::unique_ptr<rocksdb::Transaction> transaction);

 private:
  rocksdb::TransactionDB& database_;
  const rocksdb::TransactionOptions how_to_lock_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<rocksdb::Transaction>> idle_;  // guarded by mutex_
};

// Whether the log took the last commit. While it does not (the disk is full), a sync must not be
// tried: RocksDB would refuse it, and that is no failed sync. RocksDB mends itself when there is
// room again: it writes its memtables to synced tables and begins a new log. Thread-safe.
class LogHealth {
 public:
  void CommitFailed(ErrorCode code) { trouble_.store(code, std::memory_order_release); }
  void CommitSucceeded() {
    if (trouble_.load(std::memory_order_relaxed)) trouble_.store({}, std::memory_order_release);
  }
  std::optional<ErrorCode> trouble() const { return trouble_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::optional<ErrorCode>> trouble_{};
};

class RocksTransaction final : public Transaction {
 public:
  // What a transaction needs of its store, which outlives it.
  struct Context {
    rocksdb::TransactionDB& database;
    const Families& families;
    LogSyncer& syncer;
    TransactionPool& pool;
    LogHealth& health;
    TombstoneSweeper& sweeper;
    RowCache& cache;
  };

  explicit RocksTransaction(const Context& context);
  ~RocksTransaction() override;
  RocksTransaction(const RocksTransaction&) = delete;
  RocksTransaction& operator=(const RocksTransaction&) = delete;

  Result<std::optional<std::string>> Get(Table table, std::string_view key) override;
  Result<std::vector<std::optional<std::string>>> MultiGet(
      Table table, std::span<const std::string> keys) override;
  Result<std::vector<Row>> Scan(Table table, const KeyRange& range,
                                const ScanOptions& options) override;
  Result<std::optional<std::string>> Get(Table table, std::string_view key, Lock lock) override;
  Result<std::vector<std::optional<std::string>>> MultiGet(Table table,
                                                           std::span<const std::string> keys,
                                                           Lock lock) override;
  Status Put(Table table, std::string_view key, std::string_view value) override;
  Status Erase(Table table, std::string_view key) override;
  Status PutFresh(Table table, std::string_view key, std::string_view value) override;
  Status EraseOwned(Table table, std::string_view key) override;
  Status Merge(Table table, std::string_view key, const MergeValue& operand) override;
  Status LockRow(Table table, std::string_view key, Lock lock) override;
  Result<Ticket> Commit() override;

 private:
  rocksdb::ColumnFamilyHandle* Family(Table table) const {
    return FamilyOf(context_.families, table);
  }
  rocksdb::WriteBatchWithIndex& Batch() { return *transaction_->GetWriteBatch(); }
  std::size_t Writes() { return Batch().GetWriteBatch()->Count(); }
  Status TakeLock(Table table, std::string_view key, Lock lock);
  // Whether the cache may answer: with what is committed, for rows that were not written here.
  bool MayUseCache(Table table, std::string_view key) const {
    return context_.cache.Caches(table, key) && !changes_.Touches(key);
  }

  const Context& context_;  // the store's
  std::unique_ptr<rocksdb::Transaction> transaction_;
  // Ended by Commit: only the destructor is left. Also set when the commit failed in RocksDB, so
  // that nothing of unknown state goes back to the pool.
  enum class Phase { kOpen, kCommitted, kFailed } phase_ = Phase::kOpen;
  bool oversized_ = false;  // its buffers are too large to keep
  RowCache::Changes changes_;
};

}  // namespace amphora::meta
