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
  auto settled = co_await Settle(call.service.engine, outcome->ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  co_return Response(204);
}

}  // namespace amphora::s3
