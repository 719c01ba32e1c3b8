#include "s3/auth/date.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace amphora::s3::auth {
namespace {

struct Calendar {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

// `size` decimal digits at `at`; -1 when one of them is something else.
int Digits(std::string_view text, std::size_t at, std::size_t size) {
  int value = 0;
  for (const char c : text.substr(at, size)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<Time> ToTime(const Calendar& c) {
  using namespace std::chrono;
  const auto date = year(c.year) / c.month / c.day;
  const bool clock_fits = c.hour >= 0 && c.hour < 24 && c.minute >= 0 && c.minute < 60 &&
                          c.second >= 0 && c.second <= 60;
  // Years whose nanoseconds fit 64 bits.
  if (!date.ok() || !clock_fits || c.year < 1970 || c.year > 2261) return std::nullopt;
  const auto point = sys_days(date) + hours(c.hour) + minutes(c.minute) + seconds(c.second);
  return Time(nanoseconds(point.time_since_epoch()).count());
}

}  // namespace

std::optional<Time> ParseAmzDate(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  return ToTime({Digits(text, 0, 4), Digits(text, 4, 2), Digits(text, 6, 2), Digits(text, 9, 2),
                 Digits(text, 11, 2), Digits(text, 13, 2)});
}

std::string FormatAmzDate(Time time) {
  using namespace std::chrono;
  const auto point = floor<seconds>(sys_time<nanoseconds>(nanoseconds(time.nanoseconds())));
  const auto day = floor<days>(point);
  const year_month_day date(day);
  const hh_mm_ss clock(point - day);
  std::array<char, 64> text;
  const int size = std::snprintf(
      text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace amphora::s3::auth
