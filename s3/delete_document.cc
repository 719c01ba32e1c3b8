#include "s3/delete_document.h"

#include <string_view>

#include "s3/conditions.h"
#include "s3/limits.h"
#include "s3/xml_reader.h"

namespace amphora::s3 {
namespace {

// One <Object>: a Key and perhaps an ETag that it must have. Versions and the conditions of
// directory buckets are not built: the whole request is refused, so that nothing is deleted that
// the client did not mean.
Outcome<fs::DeleteManyItem> ReadItem(const pugi::xml_node& object) {
  fs::DeleteManyItem item;
  bool has_key = false;
  for (const pugi::xml_node child : object.children()) {
    if (child.type() != pugi::node_element) continue;
    const std::string_view name = child.name();
    if (name == "VersionId" || name == "LastModifiedTime" || name == "Size") {
      return std::unexpected(Failure(S3Code::kNotImplemented).With("Element", name));
    }
    if (name == "ETag") {
      const auto text = TextOf(child);
      auto tags = ParseETags(text.value_or(""));
      if (item.if_match || tags.size() != 1) return Fail(S3Code::kMalformedXml);
      item.if_match = std::move(tags.front());
      continue;
    }
    if (name != "Key" || has_key) return Fail(S3Code::kMalformedXml);
    auto key = TextOf(child);
    if (!key || key->empty()) return Fail(S3Code::kMalformedXml);
    item.key = std::move(*key);
    has_key = true;
  }
  if (!has_key) return Fail(S3Code::kMalformedXml);
  return item;
}

}  // namespace

Outcome<DeleteRequest> ReadDeleteDocument(const std::string& document) {
  pugi::xml_document xml;
  if (!ParseXml(xml, document, "Delete")) return Fail(S3Code::kMalformedXml);
  DeleteRequest request;
  for (const pugi::xml_node child : xml.document_element().children()) {
    if (child.type() != pugi::node_element) continue;
    const std::string_view name = child.name();
    if (name == "Quiet") {
      const auto value = TextOf(child);
      if (value != "true" && value != "false") return Fail(S3Code::kMalformedXml);
      request.quiet = value == "true";
      continue;
    }
    if (name != "Object" || request.items.size() == kMaxDeleteKeys) {
      return Fail(S3Code::kMalformedXml);
    }
    auto item = ReadItem(child);
    if (!item) return std::unexpected(std::move(item.error()));
    request.items.push_back(std::move(*item));
  }
  if (request.items.empty()) return Fail(S3Code::kMalformedXml);
  return request;
}

}  // namespace amphora::s3
