// GET /bucket?uploads: one page of the uploads that are under way. (S3: ListMultipartUploads)
#include <algorithm>

#include "s3/http_date.h"
#include "s3/limits.h"
#include "s3/listing_xml.h"
#include "s3/ops/ops.h"
#include "s3/upload_request.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

struct Options {
  fs::ListUploadsRequest list;
  bool encode = false;
};

Outcome<Options> ReadOptions(const Call& call) {
  const Request& request = call.request;
  Options options;
  auto encode = ReadEncodingType(request);
  if (!encode) return std::unexpected(std::move(encode.error()));
  options.encode = *encode;
  auto limit = ReadCount(request, "max-uploads", {.most = kMaxListKeys});
  if (!limit) return std::unexpected(std::move(limit.error()));
  auto bucket = FindBucket(call);
  if (!bucket) return std::unexpected(std::move(bucket.error()));
  options.list.bucket = bucket->id;
  options.list.prefix = request.QueryValue("prefix");
  options.list.delimiter = request.QueryValue("delimiter");
  options.list.key_marker = request.QueryValue("key-marker");
  options.list.upload_id_marker = request.QueryValue("upload-id-marker");
  options.list.limit = *limit;
  return options;
}

class PageWriter {
 public:
  PageWriter(const Options& options, const Call& call) : options_(options), call_(call) {}

  std::string Render(const fs::UploadsPage& page) && {
    xml_.OpenRoot("ListMultipartUploadsResult");
    xml_.Element("Bucket", call_.request.bucket());
    Name("KeyMarker", options_.list.key_marker);
    xml_.Element("UploadIdMarker", options_.list.upload_id_marker);
    if (page.truncated) {
      Name("NextKeyMarker", page.next_key);
      xml_.Element("NextUploadIdMarker", page.next_id);
    }
    Name("Prefix", options_.list.prefix);
    if (!options_.list.delimiter.empty()) Name("Delimiter", options_.list.delimiter);
    if (options_.encode) xml_.Element("EncodingType", "url");
    xml_.Element("MaxUploads", std::uint64_t{options_.list.limit});
    xml_.Element("IsTruncated", page.truncated);
    for (const fs::UploadInfo& upload : page.uploads) Upload(upload);
    AppendCommonPrefixes(xml_, page.common_prefixes, options_.encode);
    xml_.Close("ListMultipartUploadsResult");
    return std::move(xml_).Finish();
  }

 private:
  void Name(std::string_view element, std::string_view name) {
    AppendName(xml_, element, name, options_.encode);
  }

  void Upload(const fs::UploadInfo& upload) {
    xml_.Open("Upload");
    Name("Key", upload.key);
    xml_.Element("UploadId", upload.id);
    AppendUser(xml_, "Initiator", upload.owner);
    AppendUser(xml_, "Owner", upload.owner);
    xml_.Element("StorageClass", "STANDARD");
    xml_.Element("Initiated", ToIsoDate(upload.initiated));
    AppendChosenChecksum(xml_, upload);
    xml_.Close("Upload");
  }

  const Options& options_;
  const Call& call_;
  XmlWriter xml_;
};

// Keys are UTF-8, but may hold characters that XML cannot: then the page is sent URL-encoded.
bool NeedsEncoding(const fs::UploadsPage& page) {
  return !std::ranges::all_of(page.uploads, IsXmlText, &fs::UploadInfo::key) ||
         !std::ranges::all_of(page.common_prefixes, IsXmlText) || !IsXmlText(page.next_key);
}

}  // namespace

Task<Outcome<Response>> ListMultipartUploads(Call& call) {
  auto options = ReadOptions(call);
  if (!options) co_return std::unexpected(std::move(options.error()));
  auto list = [&]() -> Result<std::string> {
    AMPHORA_ASSIGN(const fs::UploadsPage page,
                   call.service.engine.uploads().ListUploads(options->list));
    options->encode = options->encode || NeedsEncoding(page);
    return PageWriter(*options, call).Render(page);
  };
  auto document = co_await OnPool(call.service.pool, list);
  if (!document.ok()) co_return EngineFailure(document.error(), Subject::kObject);
  co_return Response::Xml(std::move(*document));
}

}  // namespace amphora::s3
