// PUT /bucket/key with x-amz-copy-source: another object under this key, its blobs shared.
// (S3: CopyObject)
#include <algorithm>

#include "s3/copy_source.h"
#include "s3/http_date.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"
#include "s3/upload_request.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

// x-amz-metadata-directive: with REPLACE the headers of this request, else the source's.
Outcome<std::optional<fs::ObjectMetadata>> ReadReplacement(const Request& request) {
  constexpr std::string_view kHeader = "x-amz-metadata-directive";
  const std::string_view directive = request.Header(kHeader);
  if (directive.empty() || EqualsIgnoreCase(directive, "COPY")) return std::nullopt;
  if (!EqualsIgnoreCase(directive, "REPLACE")) {
    return std::unexpected(
        Failure(S3Code::kInvalidArgument, "The metadata directive is COPY or REPLACE.")
            .With("ArgumentName", kHeader)
            .With("ArgumentValue", directive));
  }
  auto metadata = ReadMetadata(request);
  if (!metadata) return std::unexpected(std::move(metadata.error()));
  return std::move(*metadata);
}

Outcome<fs::CopyRequest> MakeRequest(const Call& call) {
  fs::CopyRequest copy;
  copy.key = call.request.key();
  if (auto legal = fs::CheckObjectKey(copy.key); !legal.ok()) {
    return EngineFailure(legal.error(), Subject::kObject);
  }
  auto conditions = WriteConditions(call.request);
  if (!conditions) return std::unexpected(std::move(conditions.error()));
  copy.conditions = std::move(*conditions);
  auto replacement = ReadReplacement(call.request);
  if (!replacement) return std::unexpected(std::move(replacement.error()));
  copy.replace_metadata = std::move(*replacement);
  auto checksum = ReadChecksumAlgorithm(call.request);
  if (!checksum) return std::unexpected(std::move(checksum.error()));
  copy.checksum = *checksum;
  auto source = FindCopySource(call);
  if (!source) return std::unexpected(std::move(source.error()));
  copy.source_bucket = source->bucket.id;
  copy.source_key = std::move(source->key);
  copy.source_conditions = CopySourceConditions(call.request);
  auto bucket = FindBucket(call);
  if (!bucket) return std::unexpected(std::move(bucket.error()));
  copy.bucket = bucket->id;
  copy.caller = call.caller();
  if (copy.source_bucket == copy.bucket && copy.source_key == copy.key && !copy.replace_metadata) {
    return Fail(S3Code::kInvalidRequest,
                "This would copy an object to itself and change nothing: give it other metadata "
                "with x-amz-metadata-directive: REPLACE.");
  }
  return copy;
}

// Whether the source, as it is now, is what refuses the copy.
bool SourceRefuses(fs::Engine& engine, const fs::CopyRequest& copy) {
  const auto source = engine.objects().Head(copy.source_bucket, copy.source_key);
  return !source.ok() || !fs::CheckReadConditions(copy.source_conditions, *source).ok();
}

// Source and destination may both be missing or not as wished: the answer tells which of them.
Failure CopyFailure(const Call& call, const fs::CopyRequest& copy, const Error& error) {
  switch (error.code()) {
    case ErrorCode::kPreconditionFailed:
      if (copy.conditions.empty() || SourceRefuses(call.service.engine, copy)) {
        return ConditionFailure(error, copy.source_conditions, kCopySourcePrefix);
      }
      return WriteFailure(call, error, copy.conditions);
    case ErrorCode::kNotFound:
      if (copy.conditions.empty() || SourceRefuses(call.service.engine, copy)) {
        return FromEngine(error, Subject::kObject).With("Key", copy.source_key);
      }
      return WriteFailure(call, error, copy.conditions);
    default:
      return WriteFailure(call, error, copy.conditions);
  }
}

std::string Render(const fs::ObjectInfo& info) {
  XmlWriter xml;
  xml.OpenRoot("CopyObjectResult");
  xml.Element("LastModified", ToIsoDate(info.last_modified));
  xml.Element("ETag", Quoted(info.etag));
  AppendChecksum(xml, info.checksum);
  xml.Close("CopyObjectResult");
  return std::move(xml).Finish();
}

}  // namespace

Task<Outcome<Response>> CopyObject(Call& call) {
  if (call.body.size().value_or(0) > 0) {
    co_return Fail(S3Code::kInvalidRequest, "A copy has no body.");
  }
  auto request = MakeRequest(call);
  if (!request) co_return std::unexpected(std::move(request.error()));
  fs::Engine& engine = call.service.engine;
  auto copy = [&]() -> Outcome<fs::CopyOutcome> {
    auto copied = engine.objects().Copy(*request);
    if (!copied.ok()) return std::unexpected(CopyFailure(call, *request, copied.error()));
    return std::move(*copied);
  };
  auto made = co_await OnPool(call.service.pool, copy);
  if (!made) co_return std::unexpected(std::move(made.error()));
  auto settled = co_await Settle(engine, made->ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  co_return Response::Xml(Render(made->info));
}

}  // namespace amphora::s3
