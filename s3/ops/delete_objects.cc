// POST /bucket?delete: up to 1,000 keys in one request. (S3: DeleteObjects)
#include <algorithm>

#include "s3/limits.h"
#include "s3/ops/ops.h"
#include "s3/xml.h"
#include "s3/xml_reader.h"

namespace amphora::s3 {
namespace {

struct DeleteRequest {
  std::vector<fs::DeleteManyItem> items;
  bool quiet = false;
};

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

Outcome<DeleteRequest> ReadDocument(const std::string& document) {
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

std::string Render(const DeleteRequest& request) {
  XmlWriter xml;
  xml.OpenRoot("DeleteResult");
  for (const fs::DeleteManyItem& item : request.items) {
    if (item.error) {
      const Failure failure = FromEngine(*item.error, Subject::kObject);
      xml.Open("Error");
      xml.Element("Key", item.key);
      xml.Element("Code", failure.code);
      xml.Element("Message", failure.message);
      xml.Close("Error");
    } else if (!request.quiet) {
      xml.Open("Deleted");
      xml.Element("Key", item.key);
      xml.Close("Deleted");
    }
  }
  xml.Close("DeleteResult");
  return std::move(xml).Finish();
}

}  // namespace

Task<Outcome<Response>> DeleteObjects(Call& call) {
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  auto promise = ReadPromise(call.request, call.identity.payload);
  if (!promise) co_return std::unexpected(std::move(promise.error()));
  if (!promise->protects()) {
    co_return Fail(S3Code::kInvalidRequest,
                   "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  auto document = co_await ReadXmlBody(call, kMaxXmlBytes, std::move(*promise));
  if (!document) co_return std::unexpected(std::move(document.error()));
  auto request = ReadDocument(*document);
  if (!request) co_return std::unexpected(std::move(request.error()));
  auto remove = [&] {
    return call.service.engine.objects().DeleteMany(call.caller(), bucket->id, request->items);
  };
  auto ticket = co_await OnPool(call.service.pool, remove);
  if (!ticket.ok()) co_return EngineFailure(ticket.error(), Subject::kObject);
  // Some of the keys may have been deleted by somebody else just before (hazards 5.9).
  fs::Engine& engine = call.service.engine;
  auto settled = co_await Settle(engine, std::max(*ticket, engine.NewestTicket()));
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  co_return Response::Xml(Render(*request));
}

}  // namespace amphora::s3
