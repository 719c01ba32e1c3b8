// Wall-clock time in nanoseconds since 1970, as files store it, and a monotonic clock for delays.
#pragma once

#include <compare>
#include <cstdint>
#include <ctime>

namespace amphora {

// A point in time, nanoseconds since 1970-01-01 UTC; may be negative (POSIX times can be).
class Time {
 public:
  constexpr Time() = default;
  constexpr explicit Time(std::int64_t nanoseconds) : nanoseconds_(nanoseconds) {}
  // Saturates where seconds leave the range of 64-bit nanoseconds (years 1678 to 2262).
  static Time FromTimespec(const timespec& value);
  static Time Now();

  constexpr std::int64_t nanoseconds() const { return nanoseconds_; }
  timespec ToTimespec() const;
  friend constexpr auto operator<=>(Time, Time) = default;

 private:
  std::int64_t nanoseconds_ = 0;
};

// Nanoseconds of CLOCK_MONOTONIC.
std::int64_t MonotonicNow();

}  // namespace amphora
