#include "fs/ops/posix_metadata.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

namespace amphora::fs {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::uint32_t kMostMode = 0177777;
constexpr std::uint32_t kMostId = UINT32_MAX - 1;
constexpr std::uint32_t kGivenBits = 01777;
constexpr int kNanosecondDigits = 9;

template <typename Number>
std::optional<Number> Parse(std::string_view text, int base) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view Find(const ObjectMetadata& metadata, std::string_view name) {
  for (const auto& [known, value] : metadata.user) {
    if (known == name) return value;
  }
  return {};
}

// Of a regular file or a directory, or what s3fs writes of every symlink.
bool IsWholeMode(std::uint32_t mode) {
  constexpr std::uint32_t kSymlink = S_IFLNK | 0777;
  return mode <= kMostMode && (S_ISREG(mode) || S_ISDIR(mode) || mode == kSymlink);
}

// s3fs and geesefs write a whole st_mode in decimal, rclone in octal. Of these kinds no text is
// both: a mode in octal is none of them in decimal. Without a type it must look octal, so that
// somebody's "mode: 7" gives no permissions; except that s3fs writes a directory's bits alone, in
// decimal, and always with an owner and a group beside them.
std::optional<std::uint32_t> ParseMode(std::string_view text, bool with_owner) {
  constexpr std::uint32_t kMostBits = 07777;
  const auto decimal = Parse<std::uint32_t>(text, 10);
  if (decimal && IsWholeMode(*decimal)) return *decimal & kGivenBits;
  if (decimal && with_owner && *decimal <= kMostBits && !text.starts_with('0')) {
    return *decimal & kGivenBits;
  }
  const auto octal = Parse<std::uint32_t>(text, 8);
  if (!octal || *octal > kMostMode) return std::nullopt;
  const bool looks_octal = (*octal & S_IFMT) != 0 || (text.starts_with('0') && text.size() >= 4);
  return looks_octal ? std::optional(*octal & kGivenBits) : std::nullopt;
}

std::optional<std::uint32_t> ParseOctalMode(std::string_view text) {
  const auto mode = Parse<std::uint32_t>(text, 8);
  if (!mode || *mode > kMostMode) return std::nullopt;
  return *mode & kGivenBits;
}

std::optional<std::uint32_t> ParseId(std::string_view text) {
  const auto id = Parse<std::uint32_t>(text, 10);
  return id && *id <= kMostId ? id : std::nullopt;
}

// The digits behind a decimal point, as nanoseconds; further ones are cut.
std::optional<std::int64_t> ParseFraction(std::string_view digits) {
  const std::string_view kept = digits.substr(0, kNanosecondDigits);
  const bool all = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  auto value = Parse<std::int64_t>(kept, 10);
  if (!all || !value) return std::nullopt;
  for (std::size_t i = kept.size(); i < kNanosecondDigits; ++i) *value *= 10;
  return value;
}

// Nothing beyond what 64 bits of nanoseconds hold.
std::optional<Time> FromParts(std::int64_t seconds, std::int64_t nanoseconds) {
  std::int64_t value = 0;
  if (__builtin_mul_overflow(seconds, kSecond, &value)) return std::nullopt;
  if (__builtin_add_overflow(value, nanoseconds, &value)) return std::nullopt;
  return Time(value);
}

std::optional<Time> ParseSeconds(std::string_view text) {
  const std::size_t point = text.find('.');
  const auto seconds = Parse<std::int64_t>(text.substr(0, point), 10);
  if (!seconds) return std::nullopt;
  if (point == std::string_view::npos) return FromParts(*seconds, 0);
  const auto fraction = ParseFraction(text.substr(point + 1));
  if (!fraction) return std::nullopt;
  const bool negative = text.starts_with('-');
  return FromParts(*seconds, negative ? -*fraction : *fraction);
}

// The offset from UTC at the end of an RFC 3339 time, in seconds.
std::optional<std::int64_t> ParseZone(std::string_view zone) {
  if (zone == "Z" || zone == "z") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  const auto hours = Parse<unsigned>(zone.substr(1, 2), 10);
  const auto minutes = Parse<unsigned>(zone.substr(4, 2), 10);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t offset = (std::int64_t{*hours} * 60 + *minutes) * 60;
  return zone[0] == '-' ? -offset : offset;
}

// "2006-01-02T15:04:05[.999999999](Z|+01:00)".
std::optional<Time> ParseRfc3339(std::string_view text) {
  constexpr std::size_t kDateBytes = 19;
  if (text.size() <= kDateBytes) return std::nullopt;
  const std::string date(text.substr(0, kDateBytes));
  std::tm parts{};
  const char* const end = strptime(date.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  std::string_view rest = text.substr(kDateBytes);
  std::int64_t fraction = 0;
  if (rest.starts_with('.')) {
    const std::size_t digits = rest.find_first_not_of("0123456789", 1);
    if (digits == std::string_view::npos) return std::nullopt;
    const auto parsed = ParseFraction(rest.substr(1, digits - 1));
    if (!parsed) return std::nullopt;
    fraction = *parsed;
    rest = rest.substr(digits);
  }
  const auto zone = ParseZone(rest);
  if (!zone) return std::nullopt;
  return FromParts(timegm(&parts) - *zone, fraction);
}

std::optional<Time> ParseTime(std::string_view text) {
  const auto seconds = ParseSeconds(text);
  return seconds ? seconds : ParseRfc3339(text);
}

// FSx: nanoseconds when it ends in "ns", else milliseconds (a final "ms" is DataSync's).
std::optional<Time> ParseAwsTime(std::string_view text) {
  std::int64_t unit = kMillisecond;
  if (text.ends_with("ns")) unit = 1;
  if (text.ends_with("ns") || text.ends_with("ms")) text.remove_suffix(2);
  const auto value = Parse<std::int64_t>(text, 10);
  if (!value || *value > INT64_MAX / unit || *value < INT64_MIN / unit) return std::nullopt;
  return Time(*value * unit);
}

template <typename Value>
std::optional<Value> Or(std::optional<Value> first, std::optional<Value> second) {
  return first ? first : second;
}

mode_t TypeOf(FileKind kind) {
  switch (kind) {
    case FileKind::kRegular:
      return S_IFREG;
    case FileKind::kDirectory:
      return S_IFDIR;
    case FileKind::kSymlink:
      return S_IFLNK;
    case FileKind::kFifo:
      return S_IFIFO;
    case FileKind::kSocket:
      return S_IFSOCK;
    case FileKind::kCharacterDevice:
      return S_IFCHR;
    case FileKind::kBlockDevice:
      return S_IFBLK;
  }
  return S_IFREG;
}

void Put(ObjectInfo& info, std::string_view name, std::string value) {
  for (auto& [known, stored] : info.metadata.user) {
    if (known != name) continue;
    stored = std::move(value);
    return;
  }
  info.metadata.user.emplace_back(name, std::move(value));
}

std::string Octal(std::uint32_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "0%o", mode);
  return text;
}

std::string Seconds(Time time) {
  const bool negative = time.nanoseconds() < 0;
  const auto value = static_cast<std::uint64_t>(time.nanoseconds());
  const std::uint64_t distance =
      negative ? 0 - value : value;  // from 1970, also of the least value
  char text[48];
  std::snprintf(text, sizeof text, "%s%llu.%09llu", negative ? "-" : "",
                static_cast<unsigned long long>(distance / kSecond),
                static_cast<unsigned long long>(distance % kSecond));
  return text;
}

}  // namespace

GivenPosix ReadPosixMetadata(const ObjectMetadata& metadata) {
  GivenPosix given;
  if (metadata.user.empty()) return given;
  const auto uid = ParseId(Find(metadata, "uid"));
  const auto gid = ParseId(Find(metadata, "gid"));
  given.permissions = Or(ParseMode(Find(metadata, "mode"), uid && gid),
                         ParseOctalMode(Find(metadata, "file-permissions")));
  given.uid = Or(uid, ParseId(Find(metadata, "file-owner")));
  given.gid = Or(gid, ParseId(Find(metadata, "file-group")));
  given.modified =
      Or(ParseTime(Find(metadata, "mtime")), ParseAwsTime(Find(metadata, "file-mtime")));
  return given;
}

void AddPosixMetadata(PosixMetadata which, ObjectInfo& info) {
  const std::uint32_t mode = TypeOf(info.kind) | info.permissions;
  if (which == PosixMetadata::kS3fs || which == PosixMetadata::kAll) {
    Put(info, "mode", std::to_string(mode));
    Put(info, "uid", std::to_string(info.uid));
    Put(info, "gid", std::to_string(info.gid));
    Put(info, "mtime", Seconds(info.modified));
  }
  if (which == PosixMetadata::kAws || which == PosixMetadata::kAll) {
    Put(info, "file-permissions", Octal(mode));
    Put(info, "file-owner", std::to_string(info.uid));
    Put(info, "file-group", std::to_string(info.gid));
    Put(info, "file-mtime", std::to_string(info.modified.nanoseconds()) + "ns");
  }
}

}  // namespace amphora::fs
