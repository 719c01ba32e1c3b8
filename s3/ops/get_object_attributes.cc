// GET /bucket/key?attributes: the parts of an object's description that the request names. (S3:
// GetObjectAttributes) Parts' own checksums are not kept, so <ObjectParts> has their number only,
// as AWS answers for objects with a checksum over all bytes.
#include <algorithm>
#include <array>

#include "meta/base/encoding.h"
#include "s3/http_date.h"
#include "s3/ops/ops.h"
#include "s3/upload_request.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

constexpr std::string_view kHeader = "x-amz-object-attributes";
constexpr std::array<std::string_view, 5> kAttributes = {"ETag", "Checksum", "ObjectParts",
                                                         "StorageClass", "ObjectSize"};

std::unexpected<Failure> BadAttribute(std::string_view name) {
  return std::unexpected(Failure(S3Code::kInvalidArgument,
                                 "The header names one or more of ETag, Checksum, ObjectParts, "
                                 "StorageClass and ObjectSize, with commas between them.")
                             .With("ArgumentName", kHeader)
                             .With("ArgumentValue", name));
}

// The names of all fields of that header, in one list.
Outcome<std::vector<std::string>> ReadAttributes(const Request& request) {
  std::vector<std::string> names;
  const auto add = [&](std::string_view text) {
    for (std::string& name : ParseETags(text)) names.push_back(std::move(name));
  };
  for (const HeaderField& field : request.headers()) {
    if (EqualsIgnoreCase(field.name, kHeader)) add(field.value);
  }
  if (names.empty()) add(request.Header(kHeader));  // presigned
  if (names.empty()) return BadAttribute("");
  for (const std::string& name : names) {
    if (std::ranges::find(kAttributes, name) == kAttributes.end()) return BadAttribute(name);
  }
  return names;
}

std::string Render(const fs::ObjectInfo& info, const std::vector<std::string>& names) {
  const auto wants = [&](std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  XmlWriter xml;
  xml.OpenRoot("GetObjectAttributesResponse");
  if (wants("ETag")) xml.Element("ETag", info.etag);
  if (wants("Checksum") && info.checksum) {
    xml.Open("Checksum");
    xml.Element(ChecksumElement(info.checksum->kind), ToBase64(info.checksum->value));
    xml.Element("ChecksumType", ChecksumTypeText(info.checksum->type));
    xml.Close("Checksum");
  }
  if (wants("ObjectParts") && info.parts > 0) {
    xml.Open("ObjectParts");
    xml.Element("PartsCount", std::uint64_t{info.parts});
    xml.Close("ObjectParts");
  }
  if (wants("StorageClass")) xml.Element("StorageClass", "STANDARD");
  if (wants("ObjectSize")) xml.Element("ObjectSize", info.size);
  xml.Close("GetObjectAttributesResponse");
  return std::move(xml).Finish();
}

}  // namespace

Task<Outcome<Response>> GetObjectAttributes(Call& call) {
  auto names = ReadAttributes(call.request);
  if (!names) co_return std::unexpected(std::move(names.error()));
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  auto info = call.service.engine.objects().Head(bucket->id, call.request.key());
  if (!info.ok()) co_return MissingObject(call, info.error());
  Response response = Response::Xml(Render(*info, *names));
  response.AddHeader("Last-Modified", ToHttpDate(info->last_modified));
  co_return response;
}

}  // namespace amphora::s3
