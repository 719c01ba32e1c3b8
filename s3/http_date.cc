#include "s3/http_date.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace amphora::s3 {
namespace {

constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm ToUtc(std::time_t seconds) {
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return utc;
}

// Not strftime and strptime: their day and month names follow the locale.
std::string Format(std::time_t seconds) {
  const std::tm utc = ToUtc(seconds);
  char text[64];
  const int length = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                                   kMonths[static_cast<std::size_t>(utc.tm_mon)],
                                   utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return std::string(text, static_cast<std::size_t>(length));
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
  const std::tm utc = ToUtc(value.tv_sec);
  char text[64];
  const int length = std::snprintf(
      text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
      utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(value.tv_nsec / 1000000));
  return std::string(text, static_cast<std::size_t>(length));
}

std::optional<Time> ParseHttpDate(std::string_view text) {
  if (text.size() > 40) return std::nullopt;
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
