#include "meta/row_cache.h"

#include <algorithm>
#include <utility>

namespace amphora::meta {
namespace {

// What an entry takes beside its key and value: the node, the strings' own, a bucket.
constexpr std::size_t kEntryBytes = 128;

std::size_t BytesOf(std::string_view key, const RowCache::Value& value) {
  return key.size() + (value ? value->size() : 0) + kEntryBytes;
}

}  // namespace

RowCache::RowCache(std::string_view kinds, std::size_t most_bytes)
    : most_young_bytes_(most_bytes / kShards / 2) {
  for (const char kind : kinds) cached_[static_cast<unsigned char>(kind)] = true;
}

void RowCache::Changes::Put(std::string_view key, std::string_view value) {
  Add(key, value, What::kPut);
}
void RowCache::Changes::Erase(std::string_view key) { Add(key, {}, What::kErase); }
void RowCache::Changes::Merge(std::string_view key) { Add(key, {}, What::kMerge); }

void RowCache::Changes::Add(std::string_view key, std::string_view value, What what) {
  const std::size_t hash = Hash()(key);
  const auto earlier = std::ranges::find_if(
      all_, [&](const One& one) { return one.hash == hash && one.key == key; });
  if (earlier == all_.end()) {
    all_.push_back({hash, std::string(key), std::string(value), what});
  } else {
    earlier->value = value;
    earlier->what = what;
  }
}

bool RowCache::Changes::Touches(std::string_view key) const {
  if (all_.empty()) return false;
  const std::size_t hash = Hash()(key);
  return std::ranges::any_of(all_,
                             [&](const One& one) { return one.hash == hash && one.key == key; });
}

void RowCache::Changes::Announce() {
  if (all_.empty()) return;
  announced_ = true;
  cache_.generation_.fetch_add(1);
  for (const One& one : all_) {
    Shard& shard = cache_.ShardOf(one.hash);
    std::lock_guard lock(shard.mutex);
    if (const auto found = shard.young.find(one.key); found != shard.young.end()) {
      shard.young_bytes -= BytesOf(found->first, found->second);
      shard.young.erase(found);
    }
    if (const auto found = shard.old.find(one.key); found != shard.old.end()) {
      shard.old.erase(found);
    }
    InFlight& in_flight = shard.in_flight[one.key];
    if (++in_flight.transactions > 1) in_flight.overlapped = true;
  }
}

void RowCache::Changes::End(bool committed) {
  if (!std::exchange(announced_, false)) return;
  cache_.generation_.fetch_add(1);
  for (const One& one : all_) {
    Map<Value> dropped;
    Shard& shard = cache_.ShardOf(one.hash);
    std::lock_guard lock(shard.mutex);
    const auto in_flight = shard.in_flight.find(one.key);
    const bool overlapped = in_flight->second.overlapped;
    if (--in_flight->second.transactions > 0) continue;
    shard.in_flight.erase(in_flight);
    if (!committed || overlapped || one.what == What::kMerge) continue;
    dropped = cache_.Keep(shard, one.key, one.what == What::kPut ? Value(one.value) : Value());
  }
  all_.clear();
}

std::optional<RowCache::Value> RowCache::Find(std::string_view key) {
  Shard& shard = ShardOf(Hash()(key));
  Map<Value> dropped;
  std::lock_guard lock(shard.mutex);
  if (const auto found = shard.young.find(key); found != shard.young.end()) return found->second;
  const auto found = shard.old.find(key);
  if (found == shard.old.end()) return std::nullopt;
  Value value = std::move(found->second);
  shard.old.erase(found);
  dropped = Keep(shard, key, value);
  return value;
}

void RowCache::Remember(std::string_view key, std::uint64_t generation, const Value& value) {
  Shard& shard = ShardOf(Hash()(key));
  Map<Value> dropped;
  std::lock_guard lock(shard.mutex);
  if (Generation() != generation || shard.in_flight.contains(key)) return;
  dropped = Keep(shard, key, value);
}

RowCache::Map<RowCache::Value> RowCache::Keep(Shard& shard, std::string_view key,
                                              const Value& value) const {
  Map<Value> dropped;
  if (value && value->size() > kLargestValue) return dropped;
  const std::size_t bytes = BytesOf(key, value);
  if (shard.young_bytes + bytes > most_young_bytes_) {
    dropped = std::exchange(shard.old, std::exchange(shard.young, {}));
    shard.young_bytes = 0;
  }
  const auto [place, added] = shard.young.try_emplace(std::string(key), value);
  if (added) {
    shard.young_bytes += bytes;
  } else {
    place->second = value;
  }
  return dropped;
}

}  // namespace amphora::meta
