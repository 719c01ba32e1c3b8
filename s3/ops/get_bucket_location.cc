// GET /bucket?location. us-east-1 is the empty one. (S3: GetBucketLocation)
#include "s3/ops/ops.h"
#include "s3/xml.h"

namespace amphora::s3 {

Task<Outcome<Response>> GetBucketLocation(Call& call) {
  if (auto bucket = FindBucket(call); !bucket) co_return std::unexpected(std::move(bucket.error()));
  const std::string& region = call.service.options.region;
  XmlWriter xml;
  xml.OpenRoot("LocationConstraint");
  if (region != "us-east-1") xml.Text(region);
  xml.Close("LocationConstraint");
  co_return Response::Xml(std::move(xml).Finish());
}

}  // namespace amphora::s3
