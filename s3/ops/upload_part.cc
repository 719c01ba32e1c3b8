// PUT /bucket/key?partNumber=N&uploadId=ID: one part. (S3: UploadPart)
#include "meta/base/encoding.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"
#include "s3/ops/pour.h"
#include "s3/upload_request.h"

namespace amphora::s3 {
namespace {

struct Plan {
  fs::BeginPartRequest begin;
  Promise promise;
};

// Everything that can be refused before the upload is looked at.
Outcome<Plan> MakePlan(const Call& call) {
  Plan plan;
  auto number = ParsePartNumber(call.request.QueryValue("partNumber"));
  if (!number) return std::unexpected(std::move(number.error()));
  auto size = DeclaredSize(call, fs::kMaxPartBytes);
  if (!size) return std::unexpected(std::move(size.error()));
  auto promise = ReadPromise(call.request, call.identity.payload);
  if (!promise) return std::unexpected(std::move(promise.error()));
  auto bucket = FindBucket(call);
  if (!bucket) return std::unexpected(std::move(bucket.error()));
  plan.begin.upload = UploadOf(call.request, bucket->id);
  plan.begin.number = *number;
  plan.begin.declared_size = *size;
  plan.begin.digests = promise->kinds;
  plan.promise = std::move(*promise);
  return plan;
}

// A part's checksum is of the kind that the upload was begun with, if it chose one.
Outcome<void> CheckKind(const Promise& promise, const fs::UploadInfo& upload) {
  if (!promise.checksum || !upload.checksum_chosen || promise.checksum == upload.checksum) {
    return {};
  }
  return Fail(S3Code::kInvalidRequest, "The upload was begun with checksums of the type " +
                                           ToLower(ChecksumAlgorithm(upload.checksum)) +
                                           ", this part has one of the type " +
                                           ToLower(ChecksumAlgorithm(*promise.checksum)) + ".");
}

Failure PartFailure(const Call& call, const Plan& plan, const Error& error) {
  if (error.code() == ErrorCode::kBadDigest) {
    return DigestFailure(plan.promise, WrongDigest(error));
  }
  return UploadFailure(call.request, error);
}

Task<Outcome<fs::PartOutcome>> Store(Call& call, Plan& plan, fs::PartWriter& writer) {
  auto poured = co_await PourBody(call, writer);
  if (!poured) co_return std::unexpected(std::move(poured.error()));
  const auto trailers = call.body.trailers();
  if (auto taken = TakeTrailer(plan.promise, trailers); !taken) {
    co_return std::unexpected(std::move(taken.error()));
  }
  auto commit = [&] { return writer.Commit(plan.promise.expected); };
  auto stored = co_await OnPool(call.service.pool, commit);
  if (!stored.ok()) co_return std::unexpected(PartFailure(call, plan, stored.error()));
  co_return std::move(*stored);
}

}  // namespace

Task<Outcome<Response>> UploadPart(Call& call) {
  auto plan = MakePlan(call);
  if (!plan) co_return std::unexpected(std::move(plan.error()));
  auto begin = [&] { return call.service.engine.uploads().BeginPart(plan->begin); };
  auto writer = co_await OnPool(call.service.pool, begin);
  if (!writer.ok()) co_return std::unexpected(PartFailure(call, *plan, writer.error()));
  const fs::UploadInfo& upload = (*writer)->upload();
  if (auto checked = CheckKind(plan->promise, upload); !checked) {
    co_return std::unexpected(std::move(checked.error()));
  }
  auto stored = co_await Store(call, *plan, **writer);
  if (!stored) co_return std::unexpected(std::move(stored.error()));
  auto settled = co_await Settle(call.service.engine, stored->ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  Response response;
  response.AddHeader("ETag", Quoted(stored->part.etag));
  auto shown = plan->promise.checksum;
  if (!shown && upload.checksum_chosen) shown = upload.checksum;
  if (shown) response.AddHeader(ChecksumHeader(*shown), ToBase64(stored->computed[*shown]));
  co_return response;
}

}  // namespace amphora::s3
