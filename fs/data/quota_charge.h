// What one open file holds of its bucket's ledger beyond what the bucket's counters have of it:
// what it grew by since it was settled, and all of it once it has no name. Thread-safe; its lock is
// a leaf.
//
// Invariant: while nobody writes past the daemon, held = size - counted, where `counted` is what
// the counters have.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "fs/bucket_states.h"

namespace amphora::fs {

class QuotaCharge {
 public:
  // `counted`: the size in a row that has a name.
  QuotaCharge(std::shared_ptr<BucketState> bucket, std::uint64_t counted);
  ~QuotaCharge();
  QuotaCharge(const QuotaCharge&) = delete;
  QuotaCharge& operator=(const QuotaCharge&) = delete;

  // Before the file grows from `from` bytes: to `to`, or as far as there is room; answers how far.
  // kQuotaExceeded when there is room for nothing.
  Result<std::uint64_t> Grow(std::uint64_t from, std::uint64_t to);
  // All or nothing.
  Status GrowAll(std::uint64_t to);
  // After a change, or one that failed: the file has `size` bytes; what is held beyond is given
  // back.
  void Trim(std::uint64_t size);

  std::uint64_t held() const;
  // A settle's transaction is committed that brought the counters up by `growth`.
  void Settled(std::int64_t growth);
  // The last name went, and the counters' share with it.
  void Orphaned();
  // It got a name, by a transaction that brought the counters up by `size`, of which `credit` was
  // held here.
  void Adopted(std::uint64_t size, std::uint64_t credit);

  bool limited() const { return bucket_->has_byte_quota(); }

 private:
  const std::shared_ptr<BucketState> bucket_;
  mutable std::mutex mutex_;
  std::int64_t counted_;  // guarded by mutex_, as all below
  std::int64_t held_ = 0;
  bool orphan_ = false;
};

}  // namespace amphora::fs
