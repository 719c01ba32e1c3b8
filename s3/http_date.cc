#include "s3/http_date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace amphora::s3 {
namespace {

constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Moment {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::seconds> clock;
  std::size_t weekday;  // 0: Sunday
};

// Arithmetic only: gmtime_r takes a lock and looks at the time zone.
Moment ToMoment(std::time_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss(time - day),
          std::chrono::weekday(day).c_encoding()};
}

// `number` in `digits` decimal digits, zeros in front.
void AppendDigits(std::string& text, unsigned number, unsigned digits) {
  std::array<char, 10> reversed;
  for (unsigned i = 0; i < digits; ++i, number /= 10) {
    reversed[i] = static_cast<char>('0' + number % 10);
  }
  while (digits > 0) text.push_back(reversed[--digits]);
}

void AppendClock(std::string& text, const Moment& moment) {
  AppendDigits(text, static_cast<unsigned>(moment.clock.hours().count()), 2);
  text.push_back(':');
  AppendDigits(text, static_cast<unsigned>(moment.clock.minutes().count()), 2);
  text.push_back(':');
  AppendDigits(text, static_cast<unsigned>(moment.clock.seconds().count()), 2);
}

unsigned YearOf(const Moment& moment) {
  return static_cast<unsigned>(std::max(0, static_cast<int>(moment.date.year())));
}

// By hand: every answer has two dates, and strftime's names follow the locale.
std::string Format(std::time_t seconds) {
  const Moment moment = ToMoment(seconds);
  std::string text;
  text.reserve(29);
  text.append(kDays[moment.weekday]).append(", ");
  AppendDigits(text, static_cast<unsigned>(moment.date.day()), 2);
  text.append(" ").append(kMonths[static_cast<unsigned>(moment.date.month()) - 1]).append(" ");
  AppendDigits(text, YearOf(moment), 4);
  text.push_back(' ');
  AppendClock(text, moment);
  return text.append(" GMT");
}

std::optional<int> MonthOf(const char* name) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (std::string_view(name) == kMonths[i]) return static_cast<int>(i);
  }
  return std::nullopt;
}

std::optional<Time> FromFields(int year, const char* month_name, int day, int hour, int minute,
                               int second) {
  const auto month = MonthOf(month_name);
  if (!month || year < 1601 || year > 9999 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  std::tm utc{};
  utc.tm_year = year - 1900;
  utc.tm_mon = *month;
  utc.tm_mday = day;
  utc.tm_hour = hour;
  utc.tm_min = minute;
  utc.tm_sec = second;
  return Time::FromTimespec({timegm(&utc), 0});
}

}  // namespace

std::string ToHttpDate(Time time) { return Format(time.ToTimespec().tv_sec); }

std::string_view HttpDateNow() {
  thread_local std::time_t formatted_second = -1;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != formatted_second) {
    text = Format(now);
    formatted_second = now;
  }
  return text;
}

std::string ToIsoDate(Time time) {
  const timespec value = time.ToTimespec();
  const Moment moment = ToMoment(value.tv_sec);
  std::string text;
  text.reserve(24);
  AppendDigits(text, YearOf(moment), 4);
  text.push_back('-');
  AppendDigits(text, static_cast<unsigned>(moment.date.month()), 2);
  text.push_back('-');
  AppendDigits(text, static_cast<unsigned>(moment.date.day()), 2);
  text.push_back('T');
  AppendClock(text, moment);
  text.push_back('.');
  AppendDigits(text, static_cast<unsigned>(value.tv_nsec / 1'000'000), 3);
  return text.append("Z");
}

std::optional<Time> ParseHttpDate(std::string_view text) {
  if (text.empty() || text.size() > 40) return std::nullopt;
  const std::string line(text);
  char month[4] = {};
  int year = 0, day = 0, hour = 0, minute = 0, second = 0, end = -1;
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  if (std::sscanf(line.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, month,
                  &year, &hour, &minute, &second, &end) == 6 &&
      end == static_cast<int>(line.size())) {
    return FromFields(year, month, day, hour, minute, second);
  }
  // RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
  end = -1;
  if (std::sscanf(line.c_str(), "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &day, month,
                  &year, &hour, &minute, &second, &end) == 6 &&
      end == static_cast<int>(line.size())) {
    return FromFields(year + (year < 70 ? 2000 : 1900), month, day, hour, minute, second);
  }
  // asctime: Sun Nov  6 08:49:37 1994
  end = -1;
  if (std::sscanf(line.c_str(), "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &day, &hour,
                  &minute, &second, &year, &end) == 6 &&
      end == static_cast<int>(line.size())) {
    return FromFields(year, month, day, hour, minute, second);
  }
  return std::nullopt;
}

}  // namespace amphora::s3
