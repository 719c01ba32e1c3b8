// Durable reservations behind IdSource and StampSource.
#include "fs/ids.h"

#include <algorithm>

#include "fs/keys.h"
#include "fs/records.h"
#include "meta/run.h"

namespace amphora::fs {
namespace {

// Stamps reserved ahead, in nanoseconds: one durable write per 1,000 s of running.
constexpr std::uint64_t kStampStep = 1'000'000'000'000;
constexpr char kStampName[] = "stamp";

Result<ReservationRecord> ReadReservation(meta::Store& store, const std::string& name) {
  AMPHORA_ASSIGN(const auto bytes, store.Newest().Get(meta::Table::kRows, ReservationKey(name)));
  if (!bytes) return ReservationRecord{};
  return DecodeReservation(*bytes);
}

Status WriteReservation(meta::Store& store, const std::string& name,
                        const ReservationRecord& record) {
  const auto committed = meta::Transact(store, [&](meta::Transaction& kv) {
    return kv.Put(meta::Table::kRows, ReservationKey(name), Encode(record));
  });
  if (!committed.ok()) return committed.error();
  return store.WaitDurable(committed->ticket);
}

}  // namespace

IdSource::IdSource(meta::Store& store, std::string name, std::uint64_t first, std::uint64_t step)
    : store_(store), name_(std::move(name)), first_(first), step_(step) {}

Status IdSource::Open() {
  std::lock_guard lock(mutex_);
  AMPHORA_ASSIGN(const ReservationRecord record, ReadReservation(store_, name_));
  clean_ = std::max(record.clean, first_);
  unsettled_begin_ = clean_;
  unsettled_end_ = std::max(record.limit, clean_);
  next_ = limit_ = unsettled_end_;
  return Ok();
}

Status IdSource::Reserve(std::uint64_t needed) {
  const std::uint64_t limit = next_ + std::max(step_, needed);
  AMPHORA_TRY(WriteReservation(store_, name_, {limit, clean_}));
  limit_ = limit;
  return Ok();
}

Result<std::uint64_t> IdSource::Next() { return Next(1); }

Result<std::uint64_t> IdSource::Next(std::uint64_t count) {
  std::lock_guard lock(mutex_);
  if (limit_ - next_ < count) AMPHORA_TRY(Reserve(count));
  const std::uint64_t id = next_;
  next_ += count;
  return id;
}

Status IdSource::MarkSettled() {
  std::lock_guard lock(mutex_);
  clean_ = next_;
  limit_ = next_;
  return WriteReservation(store_, name_, {limit_, clean_});
}

StampSource::StampSource(meta::Store& store) : store_(store) {}

Status StampSource::Open() {
  std::lock_guard lock(mutex_);
  AMPHORA_ASSIGN(const ReservationRecord record, ReadReservation(store_, kStampName));
  last_ = std::max<std::uint64_t>(record.limit,
                                  static_cast<std::uint64_t>(Time::Now().nanoseconds()));
  return Reserve(last_);
}

Status StampSource::Reserve(std::uint64_t at_least) {
  const std::uint64_t limit = at_least + kStampStep;
  AMPHORA_TRY(WriteReservation(store_, kStampName, {limit, 0}));
  limit_ = limit;
  return Ok();
}

std::uint64_t StampSource::Next() {
  std::lock_guard lock(mutex_);
  const auto now = static_cast<std::uint64_t>(Time::Now().nanoseconds());
  last_ = std::max(last_ + 1, now);
  // A failed reservation poisons the store: then no stamp given out after it can be committed.
  if (last_ >= limit_) (void)Reserve(last_).ok();
  return last_;
}

}  // namespace amphora::fs
