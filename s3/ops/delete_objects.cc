// POST /bucket?delete: up to 1,000 keys in one request. (S3: DeleteObjects)
#include <algorithm>

#include "s3/delete_document.h"
#include "s3/limits.h"
#include "s3/ops/ops.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

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
  auto request = ReadDeleteDocument(*document);
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
