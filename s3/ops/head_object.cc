// HEAD /bucket/key: what GET would say, without the bytes. (S3: HeadObject)
#include "s3/object_headers.h"
#include "s3/ops/ops.h"

namespace amphora::s3 {

Task<Outcome<Response>> HeadObject(Call& call) {
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  auto info = call.service.engine.objects().Head(bucket->id, call.request.key());
  if (!info.ok()) co_return MissingObject(call, info.error());
  auto response = DescribeObject(call, *info);
  if (!response) co_return std::unexpected(std::move(response.error()));
  response->first.DeclareLength(response->second.length);
  co_return std::move(response->first);
}

}  // namespace amphora::s3
