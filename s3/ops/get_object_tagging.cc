// GET /bucket/key?tagging: the object's tags. Nothing can set any (PutObjectTagging and
// x-amz-tagging answer 501), so the set is empty; clients ask before they copy an object in parts.
// (S3: GetObjectTagging)
#include "s3/ops/ops.h"
#include "s3/xml.h"

namespace amphora::s3 {

Task<Outcome<Response>> GetObjectTagging(Call& call) {
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  auto info = call.service.engine.objects().Head(bucket->id, call.request.key());
  if (!info.ok()) co_return MissingObject(call, info.error());
  XmlWriter xml;
  xml.OpenRoot("Tagging");
  xml.Element("TagSet", "");
  xml.Close("Tagging");
  co_return Response::Xml(std::move(xml).Finish());
}

}  // namespace amphora::s3
