// DELETE /bucket/key. What is not there is deleted, too. (S3: DeleteObject)
#include "s3/ops/ops.h"

namespace amphora::s3 {

Task<Outcome<Response>> DeleteObject(Call& call) {
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  auto remove = [&] {
    return call.service.engine.objects().Delete(call.caller(), bucket->id, call.request.key());
  };
  auto outcome = co_await OnPool(call.service.pool, remove);
  if (!outcome.ok()) co_return EngineFailure(outcome.error(), Subject::kObject);
  // That nothing is there may be somebody else's deletion: it must be durable, too (hazards 5.9).
  fs::Engine& engine = call.service.engine;
  const fs::Ticket ticket = outcome->existed ? outcome->ticket : engine.NewestTicket();
  auto settled = co_await Settle(engine, ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  co_return Response(204);
}

}  // namespace amphora::s3
