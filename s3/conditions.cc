#include "s3/conditions.h"

#include <algorithm>
#include <charconv>

#include "s3/http_date.h"
#include "s3/upload_request.h"

namespace amphora::s3 {
namespace {

constexpr std::size_t kMaxETags = 100;

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return UINT64_MAX;  // beyond any object's end
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view Unquote(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  if (tag.size() >= 2 && tag.starts_with('"') && tag.ends_with('"')) {
    return tag.substr(1, tag.size() - 2);
  }
  return tag;
}

Failure NotBuilt(std::string_view header) {
  return Failure(S3Code::kNotImplemented).With("Header", header);
}

// The tags of a header that is there. None at all would make the request unconditional.
Outcome<std::vector<std::string>> ETagsOf(const Request& request, std::string_view name) {
  auto tags = ParseETags(request.Header(name));
  if (tags.empty()) return std::unexpected(NotBuilt(name));
  return tags;
}

}  // namespace

std::vector<std::string> ParseETags(std::string_view text) {
  std::vector<std::string> tags;
  while (!text.empty() && tags.size() < kMaxETags) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < text.size() && (quoted || text[end] != ','); ++end) {
      if (text[end] == '"') quoted = !quoted;
    }
    const std::string_view tag = Trim(text.substr(0, end));
    if (!tag.empty()) tags.emplace_back(Unquote(tag));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return tags;
}

fs::Conditions ReadConditions(const Request& request) {
  fs::Conditions conditions;
  conditions.if_match = ParseETags(request.Header("If-Match"));
  conditions.if_none_match = ParseETags(request.Header("If-None-Match"));
  conditions.if_modified_since = ParseHttpDate(request.Header("If-Modified-Since"));
  conditions.if_unmodified_since = ParseHttpDate(request.Header("If-Unmodified-Since"));
  return conditions;
}

Outcome<fs::Conditions> WriteConditions(const Request& request) {
  const bool match = request.HasHeader("If-Match");
  const bool none_match = request.HasHeader("If-None-Match");
  if (match && none_match) return std::unexpected(NotBuilt("If-Match,If-None-Match"));
  fs::Conditions conditions;
  if (match) {
    auto tags = ETagsOf(request, "If-Match");
    if (!tags) return std::unexpected(std::move(tags.error()));
    if (std::ranges::count(*tags, "*") > 0) return std::unexpected(NotBuilt("If-Match"));
    conditions.if_match = std::move(*tags);
  }
  if (none_match) {
    conditions.if_none_match = ParseETags(request.Header("If-None-Match"));
    if (conditions.if_none_match != std::vector<std::string>{"*"}) {
      return std::unexpected(NotBuilt("If-None-Match"));
    }
  }
  return conditions;
}

Outcome<fs::DeleteCondition> DeleteCondition(const Request& request) {
  if (!request.HasHeader("If-Match")) return std::nullopt;
  auto tags = ParseETags(request.Header("If-Match"));
  if (tags.size() != 1) return std::unexpected(NotBuilt("If-Match"));
  return std::move(tags.front());
}

Failure ConditionFailure(const Error& error, const fs::Conditions& conditions,
                         std::string_view prefix) {
  const bool conflict = error.code() == ErrorCode::kConflict && !conditions.empty();
  const bool unheld = error.code() == ErrorCode::kPreconditionFailed;
  if (!conflict && !unheld) return FromEngine(error, Subject::kObject);
  std::string_view name = "If-Modified-Since";
  if (!conditions.if_match.empty()) {
    name = "If-Match";
  } else if (!conditions.if_none_match.empty()) {
    name = "If-None-Match";
  } else if (conditions.if_unmodified_since) {
    name = "If-Unmodified-Since";
  }
  Failure failure(conflict ? S3Code::kConditionalConflict : S3Code::kPreconditionFailed);
  failure.cause = error.ToString();
  return std::move(failure).With("Condition", std::string(prefix).append(name));
}

Outcome<std::optional<ByteRange>> ParseRange(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!StartsWithIgnoreCase(header, kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view first_text = Trim(header.substr(0, dash));
  const std::string_view last_text = Trim(header.substr(dash + 1));
  if (first_text.empty()) {
    const auto suffix = ParseNumber(last_text);
    if (!suffix) return std::nullopt;
    const std::uint64_t length = std::min(*suffix, size);
    if (length == 0) return Fail(S3Code::kInvalidRange);
    return ByteRange{size - length, length};
  }
  const auto first = ParseNumber(first_text);
  const auto last =
      last_text.empty() ? std::optional<std::uint64_t>(UINT64_MAX) : ParseNumber(last_text);
  if (!first || !last || *last < *first) return std::nullopt;
  if (*first >= size) return Fail(S3Code::kInvalidRange);
  return ByteRange{*first, std::min(*last, size - 1) - *first + 1};
}

Outcome<std::optional<ByteRange>> ReadPartNumber(const Request& request,
                                                 const fs::ObjectInfo& info) {
  const QueryParameter* parameter = request.Query("partNumber");
  if (parameter == nullptr) return std::nullopt;
  if (request.HasHeader("Range")) {
    return Fail(S3Code::kInvalidRequest, "A request has a Range or a partNumber, not both.");
  }
  auto number = ParsePartNumber(parameter->value);
  if (!number) return std::unexpected(std::move(number.error()));
  const std::uint32_t parts = std::max(info.parts, 1u);
  if (*number > parts) {
    return std::unexpected(Failure(S3Code::kInvalidPartNumber)
                               .With("PartNumberRequested", parameter->value)
                               .With("ActualPartCount", std::to_string(parts)));
  }
  if (parts == 1) return ByteRange{0, info.size};
  std::uint64_t offset = 0;
  std::uint32_t before = *number - 1;  // parts still to be passed
  for (const fs::PartRun& run : info.part_runs) {
    if (before < run.count) return ByteRange{offset + before * run.size, run.size};
    before -= run.count;
    offset += run.count * run.size;
  }
  return std::unexpected(Failure(S3Code::kNotImplemented).With("Query", "partNumber"));
}

Outcome<std::optional<ByteRange>> ReadRange(const Request& request, const fs::ObjectInfo& info) {
  const std::string_view header = request.Header("Range");
  if (header.empty()) return std::nullopt;
  if (const std::string_view validator = request.Header("If-Range"); !validator.empty()) {
    const auto date = ParseHttpDate(validator);
    const bool same = date
                          ? *date == Time::FromTimespec({info.last_modified.ToTimespec().tv_sec, 0})
                          : Unquote(validator) == info.etag && !validator.starts_with("W/");
    if (!same) return std::nullopt;
  }
  auto range = ParseRange(header, info.size);
  if (!range) {
    range.error().headers.emplace_back("Content-Range", "bytes */" + std::to_string(info.size));
    range.error().details.emplace_back("RangeRequested", header);
    range.error().details.emplace_back("ActualObjectSize", std::to_string(info.size));
  }
  return range;
}

}  // namespace amphora::s3
