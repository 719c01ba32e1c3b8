// What is known of directories that are worked in: their inode rows and their merged sums, so that
// a create, unlink or rename reads neither its parent's row nor the many merges of its sums, which
// the kernel asks for after each of them.
//
// Never stale. A transaction announces what it is about to change before it commits (Changes): a
// row is forgotten then, and nothing of that directory enters the cache until the outcome is
// noted; sums that are known are moved on by what was merged. Who holds the row's lock, or asks
// after the change was published, sees all that was committed.
//
// Only right for a store that this process alone writes. Thread-safe; the shards' locks are leaves.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fs/records.h"
#include "fs/types.h"
#include "meta/kv.h"

namespace amphora::fs {

class DirectoryCache {
 public:
  // What one transaction changes; outlives its commit. One thread.
  class Changes {
   public:
    explicit Changes(DirectoryCache& cache) : cache_(cache) {}
    ~Changes() { Abandon(); }
    Changes(const Changes&) = delete;
    Changes& operator=(const Changes&) = delete;

    // The row of `directory`, locked exclusively, is about to be written or erased.
    void Row(InodeId directory);
    // `operand` is about to be merged into its sums.
    void Sums(InodeId directory, const meta::MergeValue& operand);
    // Exactly one of them ends the transaction: it committed; or it did not, or nobody knows.
    void Committed() { End(true); }
    void Abandon() { End(false); }

   private:
    void End(bool committed);

    DirectoryCache& cache_;
    std::vector<InodeId> rows_;
    std::vector<std::pair<InodeId, meta::MergeValue>> sums_;
  };

  // To be asked before the store is read, so that Remember can tell whether the answer is still
  // right.
  std::uint64_t Generation(InodeId directory) const;
  std::optional<InodeRecord> FindRow(InodeId directory) const;
  void RememberRow(InodeId directory, std::uint64_t generation, const InodeRecord& row);
  std::optional<meta::MergeValue> FindSums(InodeId directory) const;
  void RememberSums(InodeId directory, std::uint64_t generation, const meta::MergeValue& sums);

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kMostPerShard = 512;

  struct Entry {
    std::optional<InodeRecord> row;
    std::optional<meta::MergeValue> sums;
    std::uint32_t row_changes = 0;  // transactions whose outcome is not noted yet
    std::uint32_t sums_changes = 0;

    bool Changing() const { return row_changes > 0 || sums_changes > 0; }
    bool KnowsNothing() const { return !Changing() && !row && !sums; }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<InodeId, Entry> entries;  // guarded by mutex
    std::uint64_t generation = 0;                // guarded by mutex
  };

  Shard& ShardOf(InodeId directory) const {
    return shards_[std::hash<InodeId>()(directory) % kShards];
  }
  // The entry to remember something in; null when something changed since `generation`. The
  // shard's lock is held.
  static Entry* ToRemember(Shard& shard, InodeId directory, std::uint64_t generation);

  mutable std::array<Shard, kShards> shards_;
};

}  // namespace amphora::fs
