#include "s3/complete_document.h"

#include "fs/uploads.h"
#include "s3/checksum_names.h"
#include "s3/conditions.h"
#include "s3/upload_request.h"
#include "s3/xml_reader.h"

namespace amphora::s3 {
namespace {

// One of the elements of a part; each may be there once.
Outcome<void> ReadElement(const pugi::xml_node& node, ListedPart& part) {
  const std::string_view name = node.name();
  const auto text = TextOf(node);
  if (!text) return Fail(S3Code::kMalformedXml);
  if (name == "PartNumber") {
    if (part.number != 0) return Fail(S3Code::kMalformedXml);
    auto number = ParsePartNumber(*text);
    if (!number) return std::unexpected(std::move(number.error()));
    part.number = *number;
    return {};
  }
  if (name == "ETag") {
    const auto tags = ParseETags(*text);
    if (!part.etag.empty() || tags.size() != 1) return Fail(S3Code::kMalformedXml);
    part.etag = tags.front();
    return {};
  }
  if (!name.starts_with("Checksum")) return Fail(S3Code::kMalformedXml);
  const auto kind = KindOfElement(name);
  if (!kind) return std::unexpected(Failure(S3Code::kNotImplemented).With("Element", name));
  auto raw = ReadDigest(*kind, *text);
  if (!raw) {
    return Fail(S3Code::kInvalidRequest, "The value of " + std::string(name) + " is invalid.");
  }
  if (!part.checksums.emplace(*kind, std::move(*raw)).second) return Fail(S3Code::kMalformedXml);
  return {};
}

Outcome<ListedPart> ReadPart(const pugi::xml_node& node) {
  ListedPart part;
  for (const pugi::xml_node child : node.children()) {
    if (child.type() != pugi::node_element) continue;
    if (auto read = ReadElement(child, part); !read) return std::unexpected(read.error());
  }
  if (part.number == 0 || part.etag.empty()) return Fail(S3Code::kMalformedXml);
  return part;
}

}  // namespace

Outcome<std::vector<ListedPart>> ReadCompleteDocument(const std::string& document) {
  pugi::xml_document xml;
  if (!ParseXml(xml, document, "CompleteMultipartUpload")) return Fail(S3Code::kMalformedXml);
  std::vector<ListedPart> parts;
  for (const pugi::xml_node child : xml.document_element().children()) {
    if (child.type() != pugi::node_element) continue;
    if (std::string_view(child.name()) != "Part" || parts.size() == fs::kMaxParts) {
      return Fail(S3Code::kMalformedXml);
    }
    auto part = ReadPart(child);
    if (!part) return std::unexpected(std::move(part.error()));
    parts.push_back(std::move(*part));
  }
  if (parts.empty()) return Fail(S3Code::kInvalidRequest, "You must specify at least one part");
  return parts;
}

}  // namespace amphora::s3
