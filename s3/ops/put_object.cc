// PUT /bucket/key: one object, all at once. (S3: PutObject)
#include <memory>

#include "meta/base/encoding.h"
#include "s3/checksums.h"
#include "s3/limits.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"
#include "s3/ops/pour.h"

namespace amphora::s3 {
namespace {

struct Plan {
  fs::BeginPutRequest begin;
  fs::PutOptions options;
  Promise promise;
  // Kept with the object and shown in the answer: the one that came, else S3's default.
  fs::DigestKind checksum = fs::DigestKind::kCrc64Nvme;
};

// Everything that can be refused before the client sends a byte of the body.
Outcome<Plan> MakePlan(const Call& call) {
  Plan plan;
  const Request& request = call.request;
  if (auto legal = fs::CheckObjectKey(request.key()); !legal.ok()) {
    return EngineFailure(legal.error(), Subject::kObject);
  }
  auto size = DeclaredSize(call, fs::kMaxPutBytes);
  if (!size) return std::unexpected(std::move(size.error()));
  auto metadata = ReadMetadata(request);
  if (!metadata) return std::unexpected(std::move(metadata.error()));
  auto conditions = WriteConditions(request);
  if (!conditions) return std::unexpected(std::move(conditions.error()));
  auto promise = ReadPromise(request, call.identity.payload);
  if (!promise) return std::unexpected(std::move(promise.error()));
  auto bucket = FindBucket(call);
  if (!bucket) return std::unexpected(std::move(bucket.error()));

  plan.begin.bucket = bucket->id;
  plan.begin.key = request.key();
  plan.begin.declared_size = *size;
  plan.begin.digests = promise->kinds;
  plan.options.metadata = std::move(*metadata);
  plan.options.conditions = std::move(*conditions);
  plan.checksum = promise->checksum.value_or(plan.checksum);
  plan.begin.digests.push_back(plan.checksum);
  plan.options.keep_checksum = plan.checksum;
  plan.options.caller = call.caller();
  plan.promise = std::move(*promise);
  return plan;
}

// The body is at its end: what its trailers promised counts, too.
Outcome<void> TakeEnd(const Call& call, Plan& plan) {
  const auto trailers = call.body.trailers();
  if (auto taken = TakeTrailer(plan.promise, trailers); !taken) return taken;
  plan.options.expected = plan.promise.expected;
  return {};
}

Failure CommitFailure(const Call& call, const Plan& plan, const Error& error) {
  if (error.code() == ErrorCode::kBadDigest) {
    return DigestFailure(plan.promise, WrongDigest(error));
  }
  return WriteFailure(call, error, plan.options.conditions);
}

// One visit to the pool for a body that fits into one piece.
Task<Outcome<fs::PutOutcome>> PutSmall(Call& call, Plan& plan) {
  auto whole = co_await call.body.ReadWhole(kSmallBodyBytes);
  if (!whole) co_return std::unexpected(std::move(whole.error()));
  if (auto taken = TakeEnd(call, plan); !taken) co_return std::unexpected(std::move(taken.error()));
  auto store = [&]() -> Result<fs::PutOutcome> {
    AMPHORA_ASSIGN(auto writer, call.service.engine.objects().BeginPut(plan.begin));
    AMPHORA_TRY(writer->Append(std::as_bytes(std::span(*whole))));
    return writer->Commit(plan.options);
  };
  auto stored = co_await OnPool(call.service.pool, store);
  if (!stored.ok()) co_return std::unexpected(CommitFailure(call, plan, stored.error()));
  co_return std::move(*stored);
}

Task<Outcome<fs::PutOutcome>> PutLarge(Call& call, Plan& plan) {
  auto begin = [&] { return call.service.engine.objects().BeginPut(plan.begin); };
  auto writer = co_await OnPool(call.service.pool, begin);
  if (!writer.ok()) co_return EngineFailure(writer.error(), Subject::kObject);
  auto poured = co_await PourBody(call, **writer);
  if (!poured) co_return std::unexpected(std::move(poured.error()));
  if (auto taken = TakeEnd(call, plan); !taken) co_return std::unexpected(std::move(taken.error()));
  auto commit = [&] { return (*writer)->Commit(plan.options); };
  auto stored = co_await OnPool(call.service.pool, commit);
  if (!stored.ok()) co_return std::unexpected(CommitFailure(call, plan, stored.error()));
  co_return std::move(*stored);
}

// Two awaits, not one of a conditional expression: GCC 12 destroys that one's temporary task twice.
Task<Outcome<fs::PutOutcome>> Store(Call& call, Plan& plan) {
  if (*plan.begin.declared_size <= kSmallBodyBytes) co_return co_await PutSmall(call, plan);
  co_return co_await PutLarge(call, plan);
}

}  // namespace

Task<Outcome<Response>> PutObject(Call& call) {
  auto plan = MakePlan(call);
  if (!plan) co_return std::unexpected(std::move(plan.error()));
  auto stored = co_await Store(call, *plan);
  if (!stored) co_return std::unexpected(std::move(stored.error()));
  auto settled = co_await Settle(call.service.engine, stored->ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  Response response;
  response.AddHeader("ETag", Quoted(stored->info.etag));
  response.AddHeader(ChecksumHeader(plan->checksum), ToBase64(stored->computed[plan->checksum]));
  response.AddHeader("x-amz-checksum-type", "FULL_OBJECT");
  co_return response;
}

}  // namespace amphora::s3
