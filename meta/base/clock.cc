#include "meta/base/clock.h"

#include <limits>

namespace amphora {
namespace {
constexpr std::int64_t kBillion = 1'000'000'000;
}

Time Time::FromTimespec(const timespec& value) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / kBillion - 1;
  if (value.tv_sec > kMax) return Time(kMax * kBillion);
  if (value.tv_sec < -kMax) return Time(-kMax * kBillion);
  return Time(static_cast<std::int64_t>(value.tv_sec) * kBillion + value.tv_nsec);
}

Time Time::Now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return FromTimespec(now);
}

timespec Time::ToTimespec() const {
  std::int64_t seconds = nanoseconds_ / kBillion;
  std::int64_t rest = nanoseconds_ % kBillion;
  if (rest < 0) {
    rest += kBillion;
    --seconds;
  }
  timespec value{};
  value.tv_sec = seconds;
  value.tv_nsec = rest;
  return value;
}

std::int64_t MonotonicNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kBillion + now.tv_nsec;
}

}  // namespace amphora
