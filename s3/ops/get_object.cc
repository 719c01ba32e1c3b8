// GET /bucket/key: all of it, or one range. (S3: GetObject)
#include "s3/conditions.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"

namespace amphora::s3 {

// Runs on the network thread: bucket and object are found at memory speed once warm, and a hop to
// the pool would cost more than the whole answer (README, "What runs where").
Task<Outcome<Response>> GetObject(Call& call) {
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  auto reader = call.service.engine.objects().Open(bucket->id, call.request.key());
  if (!reader.ok()) co_return MissingObject(call, reader.error());
  const fs::ObjectInfo& info = (*reader)->info();
  auto response = DescribeObject(call, info);
  if (!response) co_return std::unexpected(std::move(response.error()));
  const ByteRange range = response->second;
  response->first.SetObject(std::move(*reader), range.offset, range.length);
  co_return std::move(response->first);
}

}  // namespace amphora::s3
