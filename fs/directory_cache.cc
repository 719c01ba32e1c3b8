#include "fs/directory_cache.h"

namespace amphora::fs {

void DirectoryCache::Changes::Row(InodeId directory) {
  Shard& shard = cache_.ShardOf(directory);
  {
    std::lock_guard lock(shard.mutex);
    Entry& entry = shard.entries[directory];
    entry.row.reset();
    ++entry.row_changes;
    ++shard.generation;
  }
  rows_.push_back(directory);
}

void DirectoryCache::Changes::Sums(InodeId directory, const meta::MergeValue& operand) {
  Shard& shard = cache_.ShardOf(directory);
  {
    std::lock_guard lock(shard.mutex);
    ++shard.entries[directory].sums_changes;
    ++shard.generation;
  }
  sums_.emplace_back(directory, operand);
}

void DirectoryCache::Changes::End(bool committed) {
  for (const InodeId directory : rows_) {
    Shard& shard = cache_.ShardOf(directory);
    std::lock_guard lock(shard.mutex);
    const auto entry = shard.entries.find(directory);
    --entry->second.row_changes;
    if (entry->second.KnowsNothing()) shard.entries.erase(entry);
  }
  for (const auto& [directory, operand] : sums_) {
    Shard& shard = cache_.ShardOf(directory);
    std::lock_guard lock(shard.mutex);
    const auto found = shard.entries.find(directory);
    Entry& entry = found->second;
    --entry.sums_changes;
    if (!committed) {
      // A commit that failed half-way may have merged it or not.
      entry.sums.reset();
    } else if (entry.sums) {
      entry.sums->Add(operand);
    }
    if (entry.KnowsNothing()) shard.entries.erase(found);
  }
  rows_.clear();
  sums_.clear();
}

std::uint64_t DirectoryCache::Generation(InodeId directory) const {
  const Shard& shard = ShardOf(directory);
  std::lock_guard lock(shard.mutex);
  return shard.generation;
}

std::optional<InodeRecord> DirectoryCache::FindRow(InodeId directory) const {
  const Shard& shard = ShardOf(directory);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(directory);
  return found == shard.entries.end() ? std::nullopt : found->second.row;
}

std::optional<meta::MergeValue> DirectoryCache::FindSums(InodeId directory) const {
  const Shard& shard = ShardOf(directory);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(directory);
  return found == shard.entries.end() ? std::nullopt : found->second.sums;
}

DirectoryCache::Entry* DirectoryCache::ToRemember(Shard& shard, InodeId directory,
                                                  std::uint64_t generation) {
  if (shard.generation != generation) return nullptr;
  if (shard.entries.size() >= kMostPerShard) {
    std::erase_if(shard.entries, [](const auto& one) { return !one.second.Changing(); });
  }
  return &shard.entries[directory];
}

void DirectoryCache::RememberRow(InodeId directory, std::uint64_t generation,
                                 const InodeRecord& row) {
  Shard& shard = ShardOf(directory);
  std::lock_guard lock(shard.mutex);
  Entry* const entry = ToRemember(shard, directory, generation);
  if (entry != nullptr && entry->row_changes == 0) entry->row = row;
}

void DirectoryCache::RememberSums(InodeId directory, std::uint64_t generation,
                                  const meta::MergeValue& sums) {
  Shard& shard = ShardOf(directory);
  std::lock_guard lock(shard.mutex);
  Entry* const entry = ToRemember(shard, directory, generation);
  if (entry != nullptr && entry->sums_changes == 0) entry->sums = sums;
}

}  // namespace amphora::fs
