// GET /bucket/key?attributes: what of an object's description the request names. (S3:
// GetObjectAttributes) <ObjectParts> lists the parts of an object whose checksum is made of theirs,
// a page at a time; of one with a checksum over all bytes it has their number only, as AWS answers.
#include <algorithm>
#include <array>

#include "meta/base/encoding.h"
#include "s3/http_date.h"
#include "s3/limits.h"
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

struct PartsPage {
  std::size_t after = 0;  // x-amz-part-number-marker
  std::size_t most = 0;   // x-amz-max-parts
};

Outcome<PartsPage> ReadPage(const Request& request) {
  auto after =
      ReadCountHeader(request, "x-amz-part-number-marker", {.most = fs::kMaxParts, .otherwise = 0});
  if (!after) return std::unexpected(std::move(after.error()));
  auto most = ReadCountHeader(request, "x-amz-max-parts", {.most = kMaxListKeys});
  if (!most) return std::unexpected(std::move(most.error()));
  return PartsPage{*after, *most};
}

// The size of each part, as far as the runs tell.
std::vector<std::uint64_t> SizesOf(const fs::ObjectInfo& info) {
  std::vector<std::uint64_t> sizes;
  for (const fs::PartRun& run : info.part_runs) sizes.insert(sizes.end(), run.count, run.size);
  return sizes;
}

void AppendParts(XmlWriter& xml, const fs::ObjectInfo& info, const PartsPage& page,
                 const std::vector<std::string>& checksums) {
  const std::vector<std::uint64_t> sizes = SizesOf(info);
  xml.Open("ObjectParts");
  xml.Element("PartsCount", std::uint64_t{info.parts});
  if (!checksums.empty() && checksums.size() == sizes.size()) {
    const std::size_t begin = std::min(page.after, sizes.size());
    const std::size_t end = begin + std::min(page.most, sizes.size() - begin);
    xml.Element("PartNumberMarker", std::uint64_t{page.after});
    xml.Element("NextPartNumberMarker", std::uint64_t{end});
    xml.Element("MaxParts", std::uint64_t{page.most});
    xml.Element("IsTruncated", end < sizes.size());
    for (std::size_t i = begin; i < end; ++i) {
      xml.Open("Part");
      xml.Element("PartNumber", std::uint64_t{i + 1});
      xml.Element("Size", sizes[i]);
      xml.Element(ChecksumElement(info.checksum->kind), ToBase64(checksums[i]));
      xml.Close("Part");
    }
  }
  xml.Close("ObjectParts");
}

std::string Render(const fs::ObjectInfo& info, const std::vector<std::string>& names,
                   const PartsPage& page, const std::vector<std::string>& checksums) {
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
  if (wants("ObjectParts") && info.parts > 0) AppendParts(xml, info, page, checksums);
  if (wants("StorageClass")) xml.Element("StorageClass", "STANDARD");
  if (wants("ObjectSize")) xml.Element("ObjectSize", info.size);
  xml.Close("GetObjectAttributesResponse");
  return std::move(xml).Finish();
}

}  // namespace

Task<Outcome<Response>> GetObjectAttributes(Call& call) {
  auto names = ReadAttributes(call.request);
  if (!names) co_return std::unexpected(std::move(names.error()));
  auto page = ReadPage(call.request);
  if (!page) co_return std::unexpected(std::move(page.error()));
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  fs::Objects& objects = call.service.engine.objects();
  const auto info = objects.Head(bucket->id, call.request.key());
  if (!info.ok()) co_return MissingObject(call, info.error());
  const auto checksums = objects.PartChecksums(*info);
  if (!checksums.ok()) co_return EngineFailure(checksums.error(), Subject::kObject);
  Response response = Response::Xml(Render(*info, *names, *page, *checksums));
  response.AddHeader("Last-Modified", ToHttpDate(info->last_modified));
  co_return response;
}

}  // namespace amphora::s3
