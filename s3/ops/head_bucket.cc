// HEAD /bucket. (S3: HeadBucket)
#include "s3/ops/ops.h"

namespace amphora::s3 {

Task<Outcome<Response>> HeadBucket(Call& call) {
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  Response response;
  response.AddHeader("x-amz-bucket-region", call.service.options.region);
  response.AddHeader("x-amz-access-point-alias", "false");
  response.AddHeader("Content-Type", "application/xml");
  co_return response;
}

}  // namespace amphora::s3
