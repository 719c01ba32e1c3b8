// What several operations begin with.
#include "s3/checksums.h"
#include "s3/http_date.h"
#include "s3/limits.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"

namespace amphora::s3 {

Outcome<fs::BucketInfo> FindBucket(const Call& call) {
  auto bucket = call.service.engine.buckets().FindBucket(fs::kS3Volume, call.request.bucket());
  if (!bucket.ok()) {
    Failure failure = FromEngine(bucket.error(), Subject::kBucket);
    failure.details.emplace_back("BucketName", call.request.bucket());
    return std::unexpected(std::move(failure));
  }
  const std::string_view expected = call.request.Header("x-amz-expected-bucket-owner");
  if (!expected.empty() && expected != bucket->owner) return Fail(S3Code::kAccessDenied);
  return std::move(*bucket);
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

Outcome<std::pair<Response, ByteRange>> DescribeObject(const Request& request,
                                                       const fs::ObjectInfo& info) {
  const fs::Conditions conditions = ReadConditions(request);
  if (auto held = fs::CheckReadConditions(conditions, info); !held.ok()) {
    Failure failure = ConditionFailure(held.error(), conditions);
    if (failure.status == 304) {
      failure.headers.emplace_back("ETag", Quoted(info.etag));
      failure.headers.emplace_back("Last-Modified", ToHttpDate(info.last_modified));
    }
    return std::unexpected(std::move(failure));
  }
  auto range = ReadRange(request, info);
  if (!range) return std::unexpected(std::move(range.error()));
  Response response(*range ? 206 : 200);
  const ByteRange part = range->value_or(ByteRange{0, info.size});
  if (*range) {
    response.AddHeader("Content-Range", "bytes " + std::to_string(part.offset) + "-" +
                                            std::to_string(part.offset + part.length - 1) + "/" +
                                            std::to_string(info.size));
  }
  AddObjectHeaders(response, request, info, !*range);
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
