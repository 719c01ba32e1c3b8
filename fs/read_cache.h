// A cache of rows that are asked for with every request and change seldom: buckets by name, access
// keys. Never stale: a reader notes the generation before it reads the store, and what it read
// enters the cache only if nothing was forgotten meanwhile. Thread-safe; the shards' locks are leaf
// locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace amphora::fs {

template <typename Value>
class ReadCache {
 public:
  std::optional<Value> Find(const std::string& key) const {
    const Shard& shard = shards_[ShardOf(key)];
    std::shared_lock lock(shard.mutex);
    const auto found = shard.values.find(key);
    if (found == shard.values.end()) return std::nullopt;
    return found->second;
  }

  // To be asked before the store is read for `key`.
  std::uint64_t Generation(const std::string& key) const {
    const Shard& shard = shards_[ShardOf(key)];
    std::shared_lock lock(shard.mutex);
    return shard.generation;
  }

  // Keeps what the store answered, unless a Forget came after `generation`.
  void Remember(const std::string& key, std::uint64_t generation, const Value& value) {
    Shard& shard = shards_[ShardOf(key)];
    std::unique_lock lock(shard.mutex);
    if (shard.generation != generation) return;
    if (shard.values.size() >= kMostPerShard) shard.values.clear();
    shard.values.insert_or_assign(key, value);
  }

  // To be called once the change is committed, before it is answered.
  void Forget(const std::string& key) {
    Shard& shard = shards_[ShardOf(key)];
    std::unique_lock lock(shard.mutex);
    ++shard.generation;
    shard.values.erase(key);
  }

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kMostPerShard = 4096;

  struct Shard {
    mutable std::shared_mutex mutex;
    std::uint64_t generation = 0;                   // guarded by mutex
    std::unordered_map<std::string, Value> values;  // guarded by mutex
  };

  static std::size_t ShardOf(const std::string& key) {
    return std::hash<std::string>()(key) % kShards;
  }

  std::array<Shard, kShards> shards_;
};

}  // namespace amphora::fs
