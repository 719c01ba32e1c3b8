// What this process knows of each bucket beside its rows: its settings, and the ledger by which
// quotas are admitted. The stored counters are blind merges, so that no two writers of a bucket
// ever conflict; what bounds them is here, in memory, exact because one process owns the store
// (docs/decisions/0017-quotas.md).
//
// The ledger has everything that counts or is about to: what the counters say, parts of uploads,
// what open files have grown by since they were settled (QuotaCharge), and what transactions on
// their way will add (UsageClaim). Taking asks and adds in one step, so a quota is never overshot.
// Giving back, and going down in general, is always possible, also above the quota.
//
// Thread-safe. Locks: BucketStates::mutex_ and BucketState::mutex_ are leaves.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "fs/bucket_settings.h"
#include "fs/types.h"
#include "meta/kv.h"

namespace amphora::fs {

class BucketState {
 public:
  // kQuotaExceeded when growth, of bytes or of inodes, goes beyond the quota; then nothing changed.
  Status Take(std::int64_t bytes, std::int64_t inodes);
  // Takes as many of `bytes` as there is room for.
  std::uint64_t TakeUpTo(std::uint64_t bytes);
  // Whether Take(bytes, 0) would succeed now. A hint.
  bool HasRoomFor(std::int64_t bytes) const;
  // Without asking: what is given back, or was counted before it was known.
  void Change(std::int64_t bytes, std::int64_t inodes);

  void Apply(const BucketSettings& settings);
  BucketSettings settings() const;
  bool has_byte_quota() const { return quota_bytes_.load(std::memory_order_relaxed) >= 0; }
  std::uint64_t bytes() const;
  std::uint64_t inodes() const;

 private:
  friend class BucketStates;
  std::atomic<std::int64_t> bytes_{0};
  std::atomic<std::int64_t> inodes_{0};
  std::atomic<std::int64_t> quota_bytes_{-1};  // -1: none
  std::atomic<std::int64_t> quota_inodes_{-1};
  mutable std::mutex mutex_;
  BucketSettings settings_;  // guarded by mutex_
};

class BucketStates {
 public:
  // At start, after recovery and before anybody changes a bucket: settings and counters as stored.
  Status Load(meta::Store& store);
  // Never null: a bucket that is not known yet has no quota and nothing in it.
  std::shared_ptr<BucketState> Find(BucketId bucket);
  void Forget(BucketId bucket);
  // Held while settings are stored and applied, so that what is in force last was stored last.
  std::mutex& changing() { return changing_; }

 private:
  std::mutex changing_;
  std::shared_mutex mutex_;
  std::unordered_map<BucketId, std::shared_ptr<BucketState>> states_;  // guarded by mutex_
};

// What a transaction adds to a bucket; negative: takes away.
struct UsageChange {
  BucketId bucket;
  std::int64_t bytes = 0;
  std::int64_t inodes = 0;
};

// A transaction's part of the ledger, from before its commit to its outcome. One thread.
class UsageClaim {
 public:
  explicit UsageClaim(BucketStates& states) : states_(states) {}
  ~UsageClaim();
  UsageClaim(const UsageClaim&) = delete;
  UsageClaim& operator=(const UsageClaim&) = delete;

  // Before the commit: growth is taken (kQuotaExceeded), the rest waits for Committed. What an
  // earlier run of the transaction took is given back first.
  Status Take(std::span<const UsageChange> changes);
  void Committed();

 private:
  struct Taken {
    std::shared_ptr<BucketState> state;
    UsageChange growth;
    UsageChange shrink;
  };
  void GiveBack();

  BucketStates& states_;
  std::vector<Taken> taken_;
};

}  // namespace amphora::fs
