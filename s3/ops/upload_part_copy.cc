// PUT /bucket/key?partNumber=N&uploadId=ID with x-amz-copy-source: a part that is a run of another
// object's bytes. (S3: UploadPartCopy)
#include <algorithm>

#include "meta/base/encoding.h"
#include "s3/copy_source.h"
#include "s3/http_date.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"
#include "s3/upload_request.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

constexpr std::string_view kRangeHeader = "x-amz-copy-source-range";

Outcome<fs::CopyPartRequest> MakeRequest(const Call& call) {
  fs::CopyPartRequest copy;
  auto number = ParsePartNumber(call.request.QueryValue("partNumber"));
  if (!number) return std::unexpected(std::move(number.error()));
  copy.number = *number;
  auto source = FindCopySource(call);
  if (!source) return std::unexpected(std::move(source.error()));
  copy.source_bucket = source->bucket.id;
  copy.source_key = std::move(source->key);
  if (call.request.HasHeader(kRangeHeader)) {
    auto range = ParseCopyRange(call.request.Header(kRangeHeader));
    if (!range) return std::unexpected(std::move(range.error()));
    copy.range = *range;
  }
  auto bucket = FindBucket(call);
  if (!bucket) return std::unexpected(std::move(bucket.error()));
  copy.upload = UploadOf(call.request, bucket->id);
  copy.source_conditions = CopySourceConditions(call.request);
  copy.caller = call.caller();
  return copy;
}

Failure CopyFailure(const Call& call, const fs::CopyPartRequest& copy, const Error& error) {
  if (error.code() == ErrorCode::kPreconditionFailed) {
    return ConditionFailure(error, copy.source_conditions, kCopySourcePrefix);
  }
  if (error.code() == ErrorCode::kOutOfRange) {
    return Failure(S3Code::kInvalidArgument, "The range is not within the source object.")
        .With("ArgumentName", kRangeHeader)
        .With("ArgumentValue", call.request.Header(kRangeHeader));
  }
  Failure failure = UploadFailure(call.request, error);
  if (failure.Is(S3Code::kNoSuchKey)) failure.details.emplace_back("Key", copy.source_key);
  return failure;
}

std::string Render(const fs::PartOutcome& made, const fs::UploadInfo& upload) {
  XmlWriter xml;
  xml.OpenRoot("CopyPartResult");
  xml.Element("LastModified", ToIsoDate(made.part.last_modified));
  xml.Element("ETag", Quoted(made.part.etag));
  if (upload.checksum_chosen && !made.part.checksum.empty()) {
    xml.Element(ChecksumElement(upload.checksum), ToBase64(made.part.checksum));
  }
  xml.Close("CopyPartResult");
  return std::move(xml).Finish();
}

}  // namespace

Task<Outcome<Response>> UploadPartCopy(Call& call) {
  if (call.body.size().value_or(0) > 0) {
    co_return Fail(S3Code::kInvalidRequest, "A copy has no body.");
  }
  auto request = MakeRequest(call);
  if (!request) co_return std::unexpected(std::move(request.error()));
  fs::Engine& engine = call.service.engine;
  fs::UploadInfo upload;
  auto copy = [&]() -> Result<fs::PartOutcome> {
    // Which checksum the answer tells: none unless the upload chose one.
    AMPHORA_ASSIGN(auto page, engine.uploads().ListParts({.upload = request->upload, .limit = 0}));
    upload = std::move(page.upload);
    return engine.uploads().CopyPart(*request);
  };
  auto made = co_await OnPool(call.service.pool, copy);
  if (!made.ok()) co_return std::unexpected(CopyFailure(call, *request, made.error()));
  // What was copied may be another's change of a moment ago (hazards 5.9).
  auto settled = co_await Settle(engine, std::max(made->ticket, engine.NewestTicket()));
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  co_return Response::Xml(Render(*made, upload));
}

}  // namespace amphora::s3
