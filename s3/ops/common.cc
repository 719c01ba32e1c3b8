// What several operations begin with.
#include <algorithm>
#include <charconv>

#include "meta/base/encoding.h"
#include "s3/checksums.h"
#include "s3/copy_source.h"
#include "s3/http_date.h"
#include "s3/limits.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"
#include "s3/upload_request.h"

namespace amphora::s3 {

namespace {

Outcome<fs::BucketInfo> FindNamed(const Call& call, const std::string& name,
                                  std::string_view owner_header) {
  auto bucket = call.service.engine.buckets().FindBucket(fs::kS3Volume, name);
  if (!bucket.ok()) {
    Failure failure = FromEngine(bucket.error(), Subject::kBucket);
    failure.details.emplace_back("BucketName", name);
    return std::unexpected(std::move(failure));
  }
  const std::string_view expected = call.request.Header(owner_header);
  if (!expected.empty() && expected != bucket->owner) return Fail(S3Code::kAccessDenied);
  return std::move(*bucket);
}

struct Shown {
  bool by_part = false;
  std::optional<ByteRange> range;
};

// The checksum of the bytes that are answered, for who asks for it: of the whole, or of a part of
// an object whose checksum is made of its parts' (S3: GetObject, ChecksumMode and PartNumber). A
// range has none.
void AddChecksum(const Call& call, const fs::ObjectInfo& info, const Shown& shown,
                 Response& response) {
  const Request& request = call.request;
  const bool wanted = EqualsIgnoreCase(request.Header("x-amz-checksum-mode"), "ENABLED");
  if (!info.checksum || !wanted) return;
  const bool composite = info.checksum->type == fs::ChecksumType::kComposite;
  std::string text;
  if (!shown.range || (shown.by_part && shown.range->length == info.size && !composite)) {
    text = ChecksumText(*info.checksum);
  } else if (shown.by_part && composite) {
    const auto number = ParsePartNumber(request.QueryValue("partNumber"));
    const auto checksums = call.service.engine.objects().PartChecksums(info);
    if (number && checksums.ok() && *number <= checksums->size()) {
      text = ToBase64((*checksums)[*number - 1]);
    }
  }
  if (text.empty()) return;
  response.AddHeader(ChecksumHeader(info.checksum->kind), text);
  response.AddHeader("x-amz-checksum-type", ChecksumTypeText(info.checksum->type));
}

}  // namespace

Outcome<fs::BucketInfo> FindBucket(const Call& call) {
  return FindNamed(call, call.request.bucket(), "x-amz-expected-bucket-owner");
}

Outcome<FoundSource> FindCopySource(const Call& call) {
  auto source = ReadCopySource(call.request);
  if (!source) return std::unexpected(std::move(source.error()));
  auto bucket = FindNamed(call, source->bucket, "x-amz-source-expected-bucket-owner");
  if (!bucket) return std::unexpected(std::move(bucket.error()));
  return FoundSource{.bucket = std::move(*bucket), .key = std::move(source->key)};
}

Outcome<std::uint64_t> DeclaredSize(const Call& call, std::uint64_t most) {
  const auto size = call.body.size();
  if (!size || (!call.body.has_length_header() && !IsChunked(call.identity.payload.mode))) {
    return Fail(S3Code::kMissingContentLength);
  }
  if (*size > most) {
    return std::unexpected(Failure(S3Code::kEntityTooLarge)
                               .With("ProposedSize", std::to_string(*size))
                               .With("MaxSizeAllowed", std::to_string(most)));
  }
  return *size;
}

namespace {

Outcome<std::size_t> ToCount(std::string_view name, std::string_view text,
                             const CountLimits& limits) {
  if (text.empty()) return limits.otherwise.value_or(limits.most);
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0) {
    return std::unexpected(
        Failure(S3Code::kInvalidArgument,
                "Provided " + std::string(name) + " not an integer or within integer range")
            .With("ArgumentName", name)
            .With("ArgumentValue", text));
  }
  return std::min(static_cast<std::size_t>(number), limits.most);
}

}  // namespace

Outcome<std::size_t> ReadCount(const Request& request, std::string_view name,
                               const CountLimits& limits) {
  return ToCount(name, request.QueryValue(name), limits);
}

Outcome<std::size_t> ReadCountHeader(const Request& request, std::string_view name,
                                     const CountLimits& limits) {
  return ToCount(name, request.Header(name), limits);
}

Outcome<bool> ReadEncodingType(const Request& request) {
  const std::string_view encoding = request.QueryValue("encoding-type");
  if (!encoding.empty() && !EqualsIgnoreCase(encoding, "url")) {
    return Fail(S3Code::kInvalidArgument, "Invalid Encoding Method specified in Request");
  }
  return !encoding.empty();
}

Outcome<std::optional<fs::DigestKind>> ReadChecksumAlgorithm(const Request& request) {
  const std::string_view text = request.Header("x-amz-checksum-algorithm");
  if (text.empty()) return std::nullopt;
  const auto kind = KindOfAlgorithm(text);
  if (!kind) return std::unexpected(UnknownAlgorithm());
  return kind;
}

Task<Outcome<std::string>> ReadXmlBody(Call& call) {
  auto promise = ReadPromise(call.request, call.identity.payload);
  if (!promise) co_return std::unexpected(std::move(promise.error()));
  co_return co_await ReadXmlBody(call, kMaxXmlBytes, std::move(*promise));
}

Task<Outcome<std::string>> ReadXmlBody(Call& call, std::size_t limit, Promise promise) {
  auto whole = co_await call.body.ReadWhole(limit);
  if (!whole) co_return std::unexpected(std::move(whole.error()));
  const auto trailers = call.body.trailers();
  auto kept = TakeTrailer(promise, trailers);
  if (kept) kept = CheckPromise(promise, *whole);
  if (!kept) co_return std::unexpected(std::move(kept.error()));
  co_return std::move(*whole);
}

Outcome<std::pair<Response, ByteRange>> DescribeObject(const Call& call,
                                                       const fs::ObjectInfo& info) {
  const Request& request = call.request;
  const fs::Conditions conditions = ReadConditions(request);
  if (auto held = fs::CheckReadConditions(conditions, info); !held.ok()) {
    Failure failure = ConditionFailure(held.error(), conditions);
    if (failure.status == 304) {
      failure.headers.emplace_back("ETag", Quoted(info.etag));
      failure.headers.emplace_back("Last-Modified", ToHttpDate(info.last_modified));
    }
    return std::unexpected(std::move(failure));
  }
  auto range = ReadPartNumber(request, info);
  const bool by_part = range && *range;
  if (range && !by_part) range = ReadRange(request, info);
  if (!range) return std::unexpected(std::move(range.error()));
  const ByteRange part = range->value_or(ByteRange{0, info.size});
  const bool partial = *range && part.length > 0;  // an empty part can't be said in Content-Range
  Response response(partial ? 206 : 200);
  if (by_part && info.parts > 0) {
    response.AddHeader("x-amz-mp-parts-count", std::to_string(info.parts));
  }
  if (partial) {
    response.AddHeader("Content-Range", "bytes " + std::to_string(part.offset) + "-" +
                                            std::to_string(part.offset + part.length - 1) + "/" +
                                            std::to_string(info.size));
  }
  AddObjectHeaders(response, request, info);
  AddChecksum(call, info, {.by_part = by_part, .range = *range}, response);
  return std::pair(std::move(response), part);
}

std::unexpected<Failure> MissingObject(const Call& call, const Error& error) {
  return std::unexpected(WriteFailure(call, error, {}));
}

Failure WriteFailure(const Call& call, const Error& error, const fs::Conditions& conditions) {
  Failure failure = ConditionFailure(error, conditions);
  if (failure.Is(S3Code::kNoSuchKey)) failure.details.emplace_back("Key", call.request.key());
  return failure;
}

}  // namespace amphora::s3
