// PUT /bucket. (S3: CreateBucket)
#include "s3/ops/ops.h"
#include "s3/xml_reader.h"

namespace amphora::s3 {
namespace {

// What CreateBucketConfiguration may say here: nothing, or our region.
Outcome<void> CheckConfiguration(const std::string& document, std::string_view region) {
  if (document.empty()) return {};
  pugi::xml_document xml;
  if (!ParseXml(xml, document, "CreateBucketConfiguration")) return Fail(S3Code::kMalformedXml);
  for (const pugi::xml_node child : xml.document_element().children()) {
    if (child.type() != pugi::node_element) continue;
    if (std::string_view(child.name()) != "LocationConstraint") {
      return std::unexpected(Failure(S3Code::kNotImplemented).With("Element", child.name()));
    }
    const auto text = TextOf(child);
    if (!text) return Fail(S3Code::kMalformedXml);
    const std::string& wanted = *text;
    // "EU" is AWS's old name of eu-west-1.
    if (!wanted.empty() && wanted != region && !(wanted == "EU" && region == "eu-west-1")) {
      return Fail(S3Code::kIllegalLocation,
                  "The " + wanted +
                      " location constraint is incompatible for the region "
                      "specific endpoint this request was sent to.");
    }
  }
  return {};
}

}  // namespace

Task<Outcome<Response>> CreateBucket(Call& call) {
  const std::string& name = call.request.bucket();
  if (auto legal = fs::CheckBucketName(name); !legal.ok()) {
    co_return EngineFailure(legal.error(), Subject::kBucket);
  }
  auto document = co_await ReadXmlBody(call);
  if (!document) co_return std::unexpected(std::move(document.error()));
  const ServerOptions& options = call.service.options;
  if (auto checked = CheckConfiguration(*document, options.region); !checked) {
    co_return std::unexpected(std::move(checked.error()));
  }
  fs::Buckets& buckets = call.service.engine.buckets();
  auto create = [&] {
    return buckets.CreateBucket(call.caller(), call.identity.owner, fs::kS3Volume, name);
  };
  auto made = co_await OnPool(call.service.pool, create);
  Response response;
  response.AddHeader("Location", "/" + name);
  if (made.Is(ErrorCode::kExists)) {
    auto present = buckets.FindBucket(fs::kS3Volume, name);
    if (!present.ok()) co_return EngineFailure(present.error(), Subject::kBucket);
    if (present->owner != call.identity.owner) co_return Fail(S3Code::kBucketAlreadyExists);
    // us-east-1 keeps its old habit: making one's own bucket again succeeds. (S3: CreateBucket)
    if (options.region != "us-east-1") co_return Fail(S3Code::kBucketAlreadyOwnedByYou);
    auto settled = co_await Settle(call.service.engine, call.service.engine.NewestTicket());
    if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kBucket);
    co_return response;
  }
  if (!made.ok()) co_return EngineFailure(made.error(), Subject::kBucket);
  auto settled = co_await Settle(call.service.engine, made->ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kBucket);
  co_return response;
}

}  // namespace amphora::s3
