// DELETE /bucket: an empty one. (S3: DeleteBucket)
#include "s3/ops/ops.h"

namespace amphora::s3 {

Task<Outcome<Response>> DeleteBucket(Call& call) {
  if (auto bucket = FindBucket(call); !bucket) co_return std::unexpected(std::move(bucket.error()));
  auto remove = [&call] {
    return call.service.engine.buckets().DeleteBucket(fs::kS3Volume, call.request.bucket());
  };
  auto ticket = co_await OnPool(call.service.pool, remove);
  if (!ticket.ok()) co_return EngineFailure(ticket.error(), Subject::kBucket);
  auto settled = co_await Settle(call.service.engine, *ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kBucket);
  co_return Response(204);
}

}  // namespace amphora::s3
