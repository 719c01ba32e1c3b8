#include "cli/bucket_settings.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace amphora::cli {
namespace {

constexpr std::uint64_t kMostAmount = std::uint64_t{1} << 62;
constexpr std::uint32_t kMostId = UINT32_MAX - 1;  // -1 means "none" to chown(2)
constexpr std::uint32_t kMostPermissions = 0777;

constexpr std::array<std::pair<std::string_view, fs::Publish>, 2> kPublish = {
    {{"live", fs::Publish::kLive}, {"close", fs::Publish::kClose}}};
constexpr std::array<std::pair<std::string_view, fs::PosixMetadata>, 4> kMetadata = {
    {{"none", fs::PosixMetadata::kNone},
     {"s3fs", fs::PosixMetadata::kS3fs},
     {"aws", fs::PosixMetadata::kAws},
     {"all", fs::PosixMetadata::kAll}}};

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text, int base, Number most) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

// The power of 1024 that a unit stands for.
std::optional<unsigned> PowerOf(std::string_view unit) {
  if (unit.empty()) return 0;
  static constexpr std::string_view kUnits = "KMGTPE";
  const std::size_t at = kUnits.find(Upper(unit.front()));
  if (at == std::string_view::npos) return std::nullopt;
  unit.remove_prefix(1);
  if (!unit.empty() && Upper(unit.front()) == 'I') {
    unit.remove_prefix(1);
    if (unit.empty()) return std::nullopt;
  }
  if (!unit.empty() && (unit.size() != 1 || Upper(unit.front()) != 'B')) return std::nullopt;
  return static_cast<unsigned>(at) + 1;
}

template <typename Value, std::size_t kCount>
std::string Words(const std::array<std::pair<std::string_view, Value>, kCount>& table) {
  std::string words;
  for (const auto& [word, value] : table) {
    words.append(words.empty() ? "" : ", ").append(word);
  }
  return words;
}

template <typename Value, std::size_t kCount>
std::string_view WordOf(const std::array<std::pair<std::string_view, Value>, kCount>& table,
                        Value wanted) {
  for (const auto& [word, value] : table) {
    if (value == wanted) return word;
  }
  return "";
}

// Takes one member of a request's body, if it is there.
template <typename Value, std::size_t kCount>
Outcome<void> ReadWord(const Json& body, const char* name,
                       const std::array<std::pair<std::string_view, Value>, kCount>& table,
                       std::optional<Value>& out) {
  if (!body.contains(name)) return {};
  const Json& member = body.at(name);
  for (const auto& [word, value] : table) {
    if (member.is_string() && member.get_ref<const std::string&>() == word) {
      out = value;
      return {};
    }
  }
  return UsageError(std::string(name) + " is one of " + Words(table));
}

template <typename Number>
Outcome<void> ReadNumber(const Json& body, const char* name, Number most,
                         std::optional<std::optional<Number>>& out) {
  if (!body.contains(name)) return {};
  const Json& member = body.at(name);
  if (member.is_null()) {
    out.emplace(std::nullopt);
    return {};
  }
  const bool natural = member.is_number_unsigned() ||
                       (member.is_number_integer() && member.get<std::int64_t>() >= 0);
  if (!natural || member.get<std::uint64_t>() > most) {
    return UsageError(std::string(name) + " is null or a number from 0 to " + std::to_string(most));
  }
  out.emplace(static_cast<Number>(member.get<std::uint64_t>()));
  return {};
}

template <typename Number>
Json OrNull(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

}  // namespace

Outcome<std::uint64_t> ParseAmount(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const auto number = ParseNumber<std::uint64_t>(text.substr(0, digits), 10, kMostAmount);
  const auto power = PowerOf(text.substr(digits));
  if (!number || !power) {
    return UsageError("'" + std::string(text) + "' is no amount: digits, then K, M, G, T, P or E");
  }
  const unsigned shift = 10 * *power;
  if (shift >= 63 || *number > kMostAmount >> shift) {
    return UsageError("'" + std::string(text) + "' is too much: 4E is the most");
  }
  return *number << shift;
}

Outcome<Owner> ParseOwner(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto uid = ParseNumber<std::uint32_t>(text.substr(0, colon), 10, kMostId);
  const auto gid = colon == std::string_view::npos
                       ? uid
                       : ParseNumber<std::uint32_t>(text.substr(colon + 1), 10, kMostId);
  if (!uid || !gid) {
    return UsageError("'" + std::string(text) + "' is no owner: UID or UID:GID, in numbers");
  }
  return Owner{*uid, *gid};
}

Outcome<std::uint32_t> ParsePermissions(std::string_view text) {
  const auto bits = ParseNumber<std::uint32_t>(text, 8, kMostPermissions);
  if (!bits) return UsageError("'" + std::string(text) + "' is no mode: octal, 0 to 777");
  return *bits;
}

Outcome<fs::BucketSettingsChange> ReadSettings(const Json& body) {
  fs::BucketSettingsChange change;
  for (const auto& read : {ReadNumber(body, "quota_bytes", kMostAmount, change.quota_bytes),
                           ReadNumber(body, "quota_inodes", kMostAmount, change.quota_inodes),
                           ReadNumber(body, "s3_uid", kMostId, change.s3_uid),
                           ReadNumber(body, "s3_gid", kMostId, change.s3_gid),
                           ReadNumber(body, "s3_mode", kMostPermissions, change.s3_permissions),
                           ReadWord(body, "publish", kPublish, change.publish),
                           ReadWord(body, "posix_metadata", kMetadata, change.posix_metadata)}) {
    if (!read) return std::unexpected(read.error());
  }
  return change;
}

Json WriteSettings(const fs::BucketSettings& settings) {
  return {{"quota_bytes", OrNull(settings.quota_bytes)},
          {"quota_inodes", OrNull(settings.quota_inodes)},
          {"publish", WordOf(kPublish, settings.publish)},
          {"posix_metadata", WordOf(kMetadata, settings.posix_metadata)},
          {"s3_uid", OrNull(settings.s3_uid)},
          {"s3_gid", OrNull(settings.s3_gid)},
          {"s3_mode", OrNull(settings.s3_permissions)}};
}

}  // namespace amphora::cli
