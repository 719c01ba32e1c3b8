#include "s3/copy_source.h"

#include <charconv>

#include "s3/conditions.h"
#include "s3/http_date.h"
#include "s3/uri.h"

namespace amphora::s3 {
namespace {

constexpr std::string_view kHeader = "x-amz-copy-source";
constexpr std::string_view kRangeHeader = "x-amz-copy-source-range";
constexpr std::string_view kVersion = "?versionId=";

std::unexpected<Failure> BadSource(std::string_view text, std::string_view why) {
  return std::unexpected(Failure(S3Code::kInvalidArgument, why)
                             .With("ArgumentName", kHeader)
                             .With("ArgumentValue", text));
}

std::unexpected<Failure> BadRange(std::string_view text) {
  return std::unexpected(Failure(S3Code::kInvalidArgument,
                                 "x-amz-copy-source-range is bytes=first-last, the zero-based "
                                 "offsets of the first and the last byte to copy")
                             .With("ArgumentName", kRangeHeader)
                             .With("ArgumentValue", text));
}

std::optional<std::uint64_t> ParseOffset(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Outcome<CopySource> ParseCopySource(std::string_view text) {
  std::string_view path = text;
  if (path.find(kVersion) != std::string_view::npos) {
    return std::unexpected(Failure(S3Code::kNotImplemented).With("Query", "versionId"));
  }
  if (path.starts_with("arn:")) {
    return std::unexpected(Failure(S3Code::kNotImplemented).With("Header", kHeader));
  }
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto decoded = PercentDecode(path, Plus::kLiteral);
  if (!decoded) return BadSource(text, "The copy source has a malformed escape.");
  const std::size_t slash = decoded->find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == decoded->size()) {
    return BadSource(text, "The copy source names a bucket and a key: bucket/key");
  }
  CopySource source{.bucket = decoded->substr(0, slash), .key = decoded->substr(slash + 1)};
  if (!fs::CheckBucketName(source.bucket).ok()) {
    return BadSource(text, "The bucket of the copy source is not valid.");
  }
  return source;
}

Outcome<CopySource> ReadCopySource(const Request& request) {
  return ParseCopySource(request.Header(kHeader));
}

fs::Conditions CopySourceConditions(const Request& request) {
  fs::Conditions conditions;
  conditions.if_match = ParseETags(request.Header("x-amz-copy-source-if-match"));
  conditions.if_none_match = ParseETags(request.Header("x-amz-copy-source-if-none-match"));
  conditions.if_modified_since =
      ParseHttpDate(request.Header("x-amz-copy-source-if-modified-since"));
  conditions.if_unmodified_since =
      ParseHttpDate(request.Header("x-amz-copy-source-if-unmodified-since"));
  return conditions;
}

Outcome<fs::ByteSpan> ParseCopyRange(std::string_view text) {
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit)) return BadRange(text);
  const std::string_view ends = text.substr(kUnit.size());
  const std::size_t dash = ends.find('-');
  if (dash == std::string_view::npos) return BadRange(text);
  const auto first = ParseOffset(ends.substr(0, dash));
  const auto last = ParseOffset(ends.substr(dash + 1));
  if (!first || !last || *last < *first || *last - *first == UINT64_MAX) return BadRange(text);
  return fs::ByteSpan{.offset = *first, .length = *last - *first + 1};
}

}  // namespace amphora::s3
