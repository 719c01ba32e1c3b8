// DELETE /bucket/key?uploadId=ID: the upload and its parts go. (S3: AbortMultipartUpload)
#include "s3/ops/ops.h"
#include "s3/upload_request.h"

namespace amphora::s3 {

Task<Outcome<Response>> AbortMultipartUpload(Call& call) {
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  auto abort = [&] {
    return call.service.engine.uploads().Abort(UploadOf(call.request, bucket->id));
  };
  auto ticket = co_await OnPool(call.service.pool, abort);
  if (!ticket.ok()) co_return std::unexpected(UploadFailure(call.request, ticket.error()));
  auto settled = co_await Settle(call.service.engine, *ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  co_return Response(204);
}

}  // namespace amphora::s3
