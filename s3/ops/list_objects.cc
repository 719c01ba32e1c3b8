// GET /bucket and GET /bucket?list-type=2: one page of keys. (S3: ListObjects, ListObjectsV2)
//
// A continuation token is "1" and the engine's position, in base64: opaque, and refused when it is
// anything else.
#include <algorithm>

#include "meta/base/encoding.h"
#include "s3/http_date.h"
#include "s3/limits.h"
#include "s3/listing_xml.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"
#include "s3/upload_request.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

struct ListOptions {
  bool v2 = false;
  std::string prefix;
  std::string delimiter;
  std::string marker;  // V1: marker, V2: start-after
  const QueryParameter* token = nullptr;
  std::size_t max_keys = kMaxListKeys;
  bool encode = false;
  bool owner = true;
  std::string after;  // where the page begins
};

constexpr char kTokenVersion = '1';

Outcome<std::string> ReadToken(const std::string& text) {
  auto token = FromBase64(text);
  if (!token || token->size() < 2 || token->front() != kTokenVersion) {
    return std::unexpected(
        Failure(S3Code::kInvalidArgument, "The continuation token provided is incorrect")
            .With("ArgumentName", "continuation-token"));
  }
  return token->substr(1);
}

Outcome<ListOptions> ReadOptions(const Request& request) {
  ListOptions options;
  const QueryParameter* type = request.Query("list-type");
  if (type != nullptr && type->value != "2" && type->value != "1") {
    return Fail(S3Code::kInvalidArgument, "Invalid List Type specified in Request");
  }
  options.v2 = type != nullptr && type->value == "2";
  options.prefix = request.QueryValue("prefix");
  options.delimiter = request.QueryValue("delimiter");
  options.marker = request.QueryValue(options.v2 ? "start-after" : "marker");
  auto encode = ReadEncodingType(request);
  if (!encode) return std::unexpected(std::move(encode.error()));
  options.encode = *encode;
  options.owner = !options.v2 || request.QueryValue("fetch-owner") == "true";
  auto max_keys = ReadCount(request, "max-keys", {.most = kMaxListKeys});
  if (!max_keys) return std::unexpected(std::move(max_keys.error()));
  options.max_keys = *max_keys;
  options.after = options.marker;
  if (options.v2) options.token = request.Query("continuation-token");
  if (options.token != nullptr) {
    auto after = ReadToken(options.token->value);
    if (!after) return std::unexpected(std::move(after.error()));
    options.after = std::move(*after);
  }
  return options;
}

// True when a name of the page can't stand in XML: then the whole page is sent URL-encoded.
bool NeedsEncoding(const fs::ListPage& page) {
  return !std::ranges::all_of(page.objects, IsXmlText, &fs::ObjectInfo::key) ||
         !std::ranges::all_of(page.common_prefixes, IsXmlText) || !IsXmlText(page.next);
}

class PageWriter {
 public:
  PageWriter(const ListOptions& options, const Call& call, const fs::BucketInfo& bucket)
      : options_(options), call_(call), bucket_(bucket) {}

  std::string Render(const fs::ListPage& page) && {
    xml_.OpenRoot("ListBucketResult");
    xml_.Element("Name", call_.request.bucket());
    Name("Prefix", options_.prefix);
    if (options_.v2) {
      V2Position(page);
    } else {
      Name("Marker", options_.marker);
      // S3 says NextMarker only with a delimiter; without one it is the last key.
      if (page.truncated && !options_.delimiter.empty()) Name("NextMarker", page.next);
    }
    xml_.Element("MaxKeys", static_cast<std::uint64_t>(options_.max_keys));
    if (!options_.delimiter.empty()) Name("Delimiter", options_.delimiter);
    if (options_.encode) xml_.Element("EncodingType", "url");
    xml_.Element("IsTruncated", page.truncated);
    for (const fs::ObjectInfo& object : page.objects) Contents(object);
    AppendCommonPrefixes(xml_, page.common_prefixes, options_.encode);
    xml_.Close("ListBucketResult");
    return std::move(xml_).Finish();
  }

 private:
  void Name(std::string_view element, std::string_view name) {
    AppendName(xml_, element, name, options_.encode);
  }

  void V2Position(const fs::ListPage& page) {
    if (!options_.marker.empty()) Name("StartAfter", options_.marker);
    if (options_.token != nullptr) xml_.Element("ContinuationToken", options_.token->value);
    if (page.truncated) {
      xml_.Element("NextContinuationToken", ToBase64(kTokenVersion + page.next));
    }
    xml_.Element("KeyCount",
                 static_cast<std::uint64_t>(page.objects.size() + page.common_prefixes.size()));
  }

  void Contents(const fs::ObjectInfo& object) {
    xml_.Open("Contents");
    Name("Key", object.key);
    xml_.Element("LastModified", ToIsoDate(object.last_modified));
    xml_.Element("ETag", Quoted(object.etag));
    if (object.checksum) {
      xml_.Element("ChecksumAlgorithm", ChecksumAlgorithm(object.checksum->kind));
      xml_.Element("ChecksumType", ChecksumTypeText(object.checksum->type));
    }
    xml_.Element("Size", object.size);
    if (options_.owner) {
      xml_.Open("Owner");
      xml_.Element("ID", bucket_.owner);
      xml_.Element("DisplayName", bucket_.owner);
      xml_.Close("Owner");
    }
    xml_.Element("StorageClass", "STANDARD");
    xml_.Close("Contents");
  }

  const ListOptions& options_;
  const Call& call_;
  const fs::BucketInfo& bucket_;
  XmlWriter xml_;
};

}  // namespace

Task<Outcome<Response>> ListObjects(Call& call) {
  auto options = ReadOptions(call.request);
  if (!options) co_return std::unexpected(std::move(options.error()));
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  // Listing and rendering a page both run on the pool: a page is up to a thousand rows.
  auto list = [&]() -> Result<std::string> {
    const fs::ListRequest request{.bucket = bucket->id,
                                  .prefix = options->prefix,
                                  .delimiter = options->delimiter,
                                  .start_after = options->after,
                                  .limit = options->max_keys};
    AMPHORA_ASSIGN(const fs::ListPage page, call.service.engine.objects().List(request));
    options->encode = options->encode || NeedsEncoding(page);
    return PageWriter(*options, call, *bucket).Render(page);
  };
  auto document = co_await OnPool(call.service.pool, list);
  if (!document.ok()) co_return EngineFailure(document.error(), Subject::kObject);
  co_return Response::Xml(std::move(*document));
}

}  // namespace amphora::s3
