// Rows of some kinds in memory, as the store has them: a lookup in a hash table where RocksDB walks
// its memtable and tables (measured: a LOOKUP of the mount costs a third). Also what is known not
// to be there. Internal to the RocksDB store, which is the only one that writes its directory.
//
// Never stale. A transaction announces the rows it writes before it commits: they are forgotten,
// and nothing read meanwhile is remembered for them until the outcome is noted; then the new values
// are known. So whoever asks after a commit was answered gets what it wrote, and nobody gets what
// was not committed.
//
// Bounded in bytes; the rows not asked for longest go first, by halves. Thread-safe; the locks are
// leaves.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "meta/kv.h"

namespace amphora::meta {

class RowCache {
 public:
  using Value = std::optional<std::string>;  // nullopt: there is no such row

  // `kinds`: the first bytes of the keys whose rows are kept; none: nothing is.
  RowCache(std::string_view kinds, std::size_t most_bytes);
  RowCache(const RowCache&) = delete;
  RowCache& operator=(const RowCache&) = delete;

  bool Caches(Table table, std::string_view key) const {
    return table == Table::kRows && !key.empty() && cached_[static_cast<unsigned char>(key[0])];
  }

  bool CachesAll(Table table, std::span<const std::string> keys) const {
    return std::ranges::all_of(keys, [&](const auto& key) { return Caches(table, key); });
  }

  // What one transaction writes. One thread.
  class Changes {
   public:
    explicit Changes(RowCache& cache) : cache_(cache) {}
    // Announced and not noted as committed: nobody knows how it ended.
    ~Changes() { End(false); }
    Changes(const Changes&) = delete;
    Changes& operator=(const Changes&) = delete;

    // Rows that the cache keeps; a later one of the same key counts.
    void Put(std::string_view key, std::string_view value);
    void Erase(std::string_view key);
    // Merged: its value is not known here.
    void Merge(std::string_view key);
    bool Touches(std::string_view key) const;
    // Just before the commit.
    void Announce();
    // Just after it.
    void Committed() { End(true); }

   private:
    enum class What : std::uint8_t { kPut, kErase, kMerge };
    struct One {
      std::size_t hash;
      std::string key;
      std::string value;
      What what;
    };
    void Add(std::string_view key, std::string_view value, What what);
    void End(bool committed);

    RowCache& cache_;
    std::vector<One> all_;
    bool announced_ = false;
  };

  // Moves whenever a transaction that writes such rows begins or ends its commit. To be asked
  // before the store is read, so that Remember can tell whether the answer is still right; and what
  // was found while it did not move is of one state.
  std::uint64_t Generation() const { return generation_.load(std::memory_order_acquire); }
  // nullopt: not known.
  std::optional<Value> Find(std::string_view key);
  void Remember(std::string_view key, std::uint64_t generation, const Value& value);

 private:
  static constexpr std::size_t kShards = 16;
  // Larger rows (objects with much metadata) are read from the store.
  static constexpr std::size_t kLargestValue = 1024;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>()(key);
    }
  };
  template <typename T>
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;
  struct InFlight {
    std::uint32_t transactions = 0;
    bool overlapped = false;  // their order is not known
  };
  struct Shard {
    std::mutex mutex;
    Map<Value> young;  // guarded by mutex, as all of it
    Map<Value> old;
    std::size_t young_bytes = 0;
    Map<InFlight> in_flight;
  };

  Shard& ShardOf(std::size_t hash) { return shards_[(hash >> 7) % kShards]; }
  // The shard's lock is held. The answer, when not empty, is to be dropped after the lock.
  Map<Value> Keep(Shard& shard, std::string_view key, const Value& value) const;

  std::array<bool, 256> cached_{};
  const std::size_t most_young_bytes_;  // of a shard
  std::atomic<std::uint64_t> generation_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace amphora::meta
