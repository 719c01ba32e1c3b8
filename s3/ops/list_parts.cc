// GET /bucket/key?uploadId=ID: one page of an upload's parts. (S3: ListParts)
#include "meta/base/encoding.h"
#include "s3/http_date.h"
#include "s3/limits.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"
#include "s3/upload_request.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

Outcome<fs::ListPartsRequest> MakeRequest(const Call& call) {
  fs::ListPartsRequest list;
  auto limit = ReadCount(call.request, "max-parts", {.most = kMaxListKeys});
  if (!limit) return std::unexpected(std::move(limit.error()));
  list.limit = *limit;
  auto after =
      ReadCount(call.request, "part-number-marker", {.most = fs::kMaxParts, .otherwise = 0});
  if (!after) return std::unexpected(std::move(after.error()));
  list.after = static_cast<std::uint32_t>(*after);
  auto bucket = FindBucket(call);
  if (!bucket) return std::unexpected(std::move(bucket.error()));
  list.upload = UploadOf(call.request, bucket->id);
  return list;
}

std::string Render(const Call& call, const fs::ListPartsRequest& list, const fs::PartsPage& page) {
  XmlWriter xml;
  xml.OpenRoot("ListPartsResult");
  xml.Element("Bucket", call.request.bucket());
  xml.Element("Key", call.request.key());
  xml.Element("UploadId", page.upload.id);
  AppendUser(xml, "Initiator", page.upload.owner);
  AppendUser(xml, "Owner", page.upload.owner);
  xml.Element("StorageClass", "STANDARD");
  AppendChosenChecksum(xml, page.upload);
  xml.Element("PartNumberMarker", std::uint64_t{list.after});
  xml.Element("NextPartNumberMarker",
              std::uint64_t{page.parts.empty() ? 0 : page.parts.back().number});
  xml.Element("MaxParts", std::uint64_t{list.limit});
  xml.Element("IsTruncated", page.truncated);
  for (const fs::PartInfo& part : page.parts) {
    xml.Open("Part");
    xml.Element("PartNumber", std::uint64_t{part.number});
    xml.Element("LastModified", ToIsoDate(part.last_modified));
    xml.Element("ETag", Quoted(part.etag));
    xml.Element("Size", part.size);
    if (page.upload.checksum_chosen && !part.checksum.empty()) {
      xml.Element(ChecksumElement(page.upload.checksum), ToBase64(part.checksum));
    }
    xml.Close("Part");
  }
  xml.Close("ListPartsResult");
  return std::move(xml).Finish();
}

}  // namespace

Task<Outcome<Response>> ListParts(Call& call) {
  auto request = MakeRequest(call);
  if (!request) co_return std::unexpected(std::move(request.error()));
  auto list = [&]() -> Result<std::string> {
    AMPHORA_ASSIGN(const fs::PartsPage page, call.service.engine.uploads().ListParts(*request));
    return Render(call, *request, page);
  };
  auto document = co_await OnPool(call.service.pool, list);
  if (!document.ok()) co_return std::unexpected(UploadFailure(call.request, document.error()));
  co_return Response::Xml(std::move(*document));
}

}  // namespace amphora::s3
