// DELETE /bucket/key. What is not there is deleted, too, unless If-Match wants it. (S3:
// DeleteObject)
#include "s3/ops/ops.h"

namespace amphora::s3 {

Task<Outcome<Response>> DeleteObject(Call& call) {
  auto condition = DeleteCondition(call.request);
  if (!condition) co_return std::unexpected(std::move(condition.error()));
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  auto remove = [&] {
    return call.service.engine.objects().Delete(call.caller(), bucket->id, call.request.key(),
                                                *condition);
  };
  auto outcome = co_await OnPool(call.service.pool, remove);
  if (!outcome.ok()) {
    fs::Conditions conditions;
    if (*condition) conditions.if_match.push_back(**condition);
    co_return std::unexpected(WriteFailure(call, outcome.error(), conditions));
  }
  // That nothing is there may be somebody else's deletion: it must be durable, too (hazards 5.9).
  fs::Engine& engine = call.service.engine;
  const fs::Ticket ticket = outcome->existed ? outcome->ticket : engine.NewestTicket();
  auto settled = co_await Settle(engine, ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  co_return Response(204);
}

}  // namespace amphora::s3
