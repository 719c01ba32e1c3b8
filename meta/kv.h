// The metadata store's whole interface: ordered binary keys, serializable transactions, merges that
// never conflict, read snapshots, and durability tickets. Implementations: RocksDB (rocks_store.h,
// embedded default); later any PostgreSQL-wire database. Nothing above meta/ may assume RocksDB.
//
// Shape of use, for a database across a network: a transaction reads in at most two rounds
// (MultiGet of what is known, then what follows from it) and writes one batch.
//
// Emptiness is guarded, not scanned for: who adds a child takes the parent's row shared, who
// removes a directory or bucket takes it exclusively before the scan that proves it empty
// (docs/architecture.md).
//
// Store is thread-safe. A Transaction or a Reader belongs to one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "meta/base/result.h"

namespace amphora::meta {

// Where a row lives. Rows of both tables commit together.
enum class Table : std::uint8_t {
  kRows,     // small rows: names, inodes, counters, …
  kContent,  // inline file content, up to 64 KiB a value
};

// What a read inside a transaction protects.
enum class Lock : std::uint8_t {
  kNone,       // no protection: the row may change before the commit
  kShared,     // nobody else can write the row until the commit
  kExclusive,  // nobody else can take the row, shared or exclusively, until the commit
};

// A position in the log: everything committed up to it is durable once WaitDurable(it) returned Ok.
// Tickets of one store are ordered by commit; 0 is always durable.
using Ticket = std::uint64_t;

// Keys k with begin <= k < end; an empty `end` means no upper bound.
struct KeyRange {
  std::string begin;
  std::string end;
};

enum class Direction : std::uint8_t { kForward, kBackward };

struct ScanOptions {
  std::size_t limit = 1000;  // rows, 1 to 100,000
  Direction direction = Direction::kForward;
};

struct Row {
  std::string key;
  std::string value;
};

// The value of a merged row, and an operand of Merge(): sums add up, of stamped values the greatest
// stamp wins (equal stamps: the greater value). So merges commute and never conflict.
struct MergeValue {
  struct Stamped {
    std::uint64_t stamp = 0;  // 0: unset
    std::int64_t value = 0;
    friend bool operator==(const Stamped&, const Stamped&) = default;
  };
  static constexpr std::size_t kFields = 4;
  std::array<std::int64_t, kFields> sums{};
  std::array<Stamped, kFields> latest{};

  void Add(const MergeValue& operand);
  friend bool operator==(const MergeValue&, const MergeValue&) = default;
};
std::string EncodeMergeValue(const MergeValue& value);
// kCorrupt when `bytes` is no merge value.
Result<MergeValue> DecodeMergeValue(std::string_view bytes);

class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<std::optional<std::string>> Get(Table table, std::string_view key) = 0;
  // One answer per key, in their order, all from one committed state.
  virtual Result<std::vector<std::optional<std::string>>> MultiGet(
      Table table, std::span<const std::string> keys) = 0;
  virtual Result<std::vector<Row>> Scan(Table table, const KeyRange& range,
                                        const ScanOptions& options) = 0;
};

// A read-write transaction. Reads see the transaction's own writes. Dropped without Commit, it
// leaves nothing. Any call may answer kConflict: drop it and run the closure again (run.h does so).
class Transaction : public Reader {
 public:
  using Reader::Get;
  using Reader::MultiGet;
  // Takes the lock first, then reads the newest committed value. May wait for another transaction's
  // lock, for a bounded time; answers kConflict on deadlock or timeout. A missing row can be locked
  // too.
  virtual Result<std::optional<std::string>> Get(Table table, std::string_view key, Lock lock) = 0;
  virtual Result<std::vector<std::optional<std::string>>> MultiGet(
      Table table, std::span<const std::string> keys, Lock lock) = 0;

  // The lock alone: for who knows the value already, or needs none.
  virtual Status LockRow(Table table, std::string_view key, Lock lock) = 0;

  // Put and Erase lock the row exclusively.
  virtual Status Put(Table table, std::string_view key, std::string_view value) = 0;
  virtual Status Erase(Table table, std::string_view key) = 0;
  // Put without taking the lock: for rows whose key only this transaction can know (a fresh id).
  virtual Status PutFresh(Table table, std::string_view key, std::string_view value) = 0;
  // Erase without taking the lock: for rows that a lock already held on another row protects.
  virtual Status EraseOwned(Table table, std::string_view key) = 0;
  // Blind: takes no lock, reads nothing, never conflicts. Rows that are merged are never Put.
  virtual Status Merge(Table table, std::string_view key, const MergeValue& operand) = 0;

  // Makes all writes visible at once. Not yet durable: wait for the ticket. A read-only transaction
  // answers the newest ticket. kPoisoned after a failed sync.
  virtual Result<Ticket> Commit() = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual std::unique_ptr<Transaction> Begin() = 0;
  // One consistent state for all reads through it.
  virtual std::unique_ptr<Reader> Snapshot() = 0;
  // Each read sees the newest committed state. Lives as long as the store; thread-safe.
  virtual Reader& Newest() = 0;

  // A ticket that covers every commit answered so far.
  virtual Ticket LastTicket() = 0;
  virtual bool IsDurable(Ticket ticket) = 0;
  // Blocks until `ticket` is durable. All waiters share one sync of one syncer thread. kPoisoned
  // when this or any earlier sync failed: no later success may cover it.
  virtual Status WaitDurable(Ticket ticket) = 0;
  // The same without blocking: `done` runs on the syncer thread (or here when already durable); it
  // must be short and must not call back into the store.
  virtual void WhenDurable(Ticket ticket, std::function<void(Status)> done) = 0;
};

}  // namespace amphora::meta
