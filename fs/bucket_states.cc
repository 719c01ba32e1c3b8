#include "fs/bucket_states.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "fs/admin/row_cursor.h"
#include "fs/keys.h"
#include "fs/records.h"

namespace amphora::fs {
namespace {

constexpr std::int64_t kNoQuota = -1;

std::int64_t ToLimit(const std::optional<std::uint64_t>& quota) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return quota ? static_cast<std::int64_t>(std::min(*quota, kMost)) : kNoQuota;
}

// Subtraction, so that nothing overflows.
bool Fits(std::int64_t used, std::int64_t more, std::int64_t limit) {
  return limit == kNoQuota || (used <= limit && more <= limit - used);
}

bool TakeFrom(std::atomic<std::int64_t>& used, std::int64_t more, std::int64_t limit) {
  if (more <= 0) {
    used.fetch_add(more);
    return true;
  }
  std::int64_t now = used.load();
  do {
    if (!Fits(now, more, limit)) return false;
  } while (!used.compare_exchange_weak(now, now + more));
  return true;
}

std::uint64_t NotNegative(std::int64_t value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

}  // namespace

Status BucketState::Take(std::int64_t bytes, std::int64_t inodes) {
  if (!TakeFrom(bytes_, bytes, quota_bytes_.load())) {
    return Error(ErrorCode::kQuotaExceeded, "the bucket's bytes");
  }
  if (!TakeFrom(inodes_, inodes, quota_inodes_.load())) {
    bytes_.fetch_sub(bytes);
    return Error(ErrorCode::kQuotaExceeded, "the bucket's inodes");
  }
  return Ok();
}

std::uint64_t BucketState::TakeUpTo(std::uint64_t bytes) {
  std::int64_t now = bytes_.load();
  for (;;) {
    const std::int64_t limit = quota_bytes_.load();
    auto more = static_cast<std::int64_t>(
        std::min<std::uint64_t>(bytes, std::numeric_limits<std::int64_t>::max() / 2));
    if (limit != kNoQuota) more = std::min(more, limit > now ? limit - now : 0);
    if (more == 0) return 0;
    if (bytes_.compare_exchange_weak(now, now + more)) return static_cast<std::uint64_t>(more);
  }
}

bool BucketState::HasRoomFor(std::int64_t bytes) const {
  return bytes <= 0 || Fits(bytes_.load(), bytes, quota_bytes_.load());
}

void BucketState::Change(std::int64_t bytes, std::int64_t inodes) {
  if (bytes != 0) bytes_.fetch_add(bytes);
  if (inodes != 0) inodes_.fetch_add(inodes);
}

void BucketState::Apply(const BucketSettings& settings) {
  std::lock_guard lock(mutex_);
  settings_ = settings;
  quota_bytes_.store(ToLimit(settings.quota_bytes));
  quota_inodes_.store(ToLimit(settings.quota_inodes));
}

BucketSettings BucketState::settings() const {
  std::lock_guard lock(mutex_);
  return settings_;
}

std::uint64_t BucketState::bytes() const { return NotNegative(bytes_.load()); }
std::uint64_t BucketState::inodes() const { return NotNegative(inodes_.load()); }

Status BucketStates::Load(meta::Store& store) {
  const auto snapshot = store.Snapshot();
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot, meta::Table::kRows, RangeOf(RowKind::kBucket)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const BucketRecord record, DecodeBucket(row.value));
                           if (!record.is_link()) Find(record.id)->Apply(record.settings);
                           return Ok();
                         }));
  return ForEachRow(RowCursor(*snapshot, meta::Table::kRows, RangeOf(RowKind::kUsage)),
                    [&](const meta::Row& row) -> Status {
                      AMPHORA_ASSIGN(const InodeId id, DecodeInodeOf(row.key));
                      AMPHORA_ASSIGN(const meta::MergeValue usage,
                                     meta::DecodeMergeValue(row.value));
                      const auto state = Find(BucketId(id.value()));
                      state->bytes_ = usage.sums[kBytes] + usage.sums[kPartBytes];
                      state->inodes_ = usage.sums[kFiles] + usage.sums[kDirectories];
                      return Ok();
                    });
}

std::shared_ptr<BucketState> BucketStates::Find(BucketId bucket) {
  {
    std::shared_lock lock(mutex_);
    const auto found = states_.find(bucket);
    if (found != states_.end()) return found->second;
  }
  std::unique_lock lock(mutex_);
  auto& state = states_[bucket];
  if (!state) state = std::make_shared<BucketState>();
  return state;
}

void BucketStates::Forget(BucketId bucket) {
  std::unique_lock lock(mutex_);
  states_.erase(bucket);
}

UsageClaim::~UsageClaim() { GiveBack(); }

void UsageClaim::GiveBack() {
  for (const Taken& taken : taken_) taken.state->Change(-taken.growth.bytes, -taken.growth.inodes);
  taken_.clear();
}

Status UsageClaim::Take(std::span<const UsageChange> changes) {
  GiveBack();
  for (const UsageChange& change : changes) {
    const UsageChange growth{change.bucket, std::max<std::int64_t>(change.bytes, 0),
                             std::max<std::int64_t>(change.inodes, 0)};
    auto state = states_.Find(change.bucket);
    AMPHORA_TRY(state->Take(growth.bytes, growth.inodes));
    taken_.push_back({std::move(state),
                      growth,
                      {change.bucket, change.bytes - growth.bytes, change.inodes - growth.inodes}});
  }
  return Ok();
}

void UsageClaim::Committed() {
  for (const Taken& taken : taken_) taken.state->Change(taken.shrink.bytes, taken.shrink.inodes);
  taken_.clear();
}

}  // namespace amphora::fs
