#include "fs/data/quota_charge.h"

#include <algorithm>
#include <utility>

namespace amphora::fs {

QuotaCharge::QuotaCharge(std::shared_ptr<BucketState> bucket, std::uint64_t counted)
    : bucket_(std::move(bucket)), counted_(static_cast<std::int64_t>(counted)) {}

QuotaCharge::~QuotaCharge() { bucket_->Change(-held_, 0); }

Result<std::uint64_t> QuotaCharge::Grow(std::uint64_t from, std::uint64_t to) {
  std::lock_guard lock(mutex_);
  const std::int64_t missing = static_cast<std::int64_t>(to) - counted_ - held_;
  if (missing <= 0) return to;
  held_ += static_cast<std::int64_t>(bucket_->TakeUpTo(static_cast<std::uint64_t>(missing)));
  const auto end = static_cast<std::uint64_t>(std::max<std::int64_t>(counted_ + held_, 0));
  if (end <= from) return Error(ErrorCode::kQuotaExceeded, "the bucket's bytes");
  return std::min(end, to);
}

Status QuotaCharge::GrowAll(std::uint64_t to) {
  std::lock_guard lock(mutex_);
  const std::int64_t missing = static_cast<std::int64_t>(to) - counted_ - held_;
  if (missing <= 0) return Ok();
  AMPHORA_TRY(bucket_->Take(missing, 0));
  held_ += missing;
  return Ok();
}

void QuotaCharge::Trim(std::uint64_t size) {
  std::lock_guard lock(mutex_);
  const std::int64_t needed = std::max<std::int64_t>(static_cast<std::int64_t>(size) - counted_, 0);
  if (held_ <= needed) return;
  bucket_->Change(needed - held_, 0);
  held_ = needed;
}

std::uint64_t QuotaCharge::held() const {
  std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(held_);
}

void QuotaCharge::Settled(std::int64_t growth) {
  std::lock_guard lock(mutex_);
  if (orphan_) {
    // Its last name went after the settle's commit, and took more from the counters than was known
    // here then.
    bucket_->Change(growth, 0);
    return;
  }
  bucket_->Change(growth - held_, 0);
  counted_ += growth;
  held_ = 0;
}

void QuotaCharge::Orphaned() {
  std::lock_guard lock(mutex_);
  if (std::exchange(orphan_, true)) return;
  held_ += counted_;
  bucket_->Change(counted_, 0);
  counted_ = 0;
}

void QuotaCharge::Adopted(std::uint64_t size, std::uint64_t credit) {
  std::lock_guard lock(mutex_);
  orphan_ = false;
  held_ -= static_cast<std::int64_t>(credit);
  counted_ = static_cast<std::int64_t>(size);
}

}  // namespace amphora::fs
