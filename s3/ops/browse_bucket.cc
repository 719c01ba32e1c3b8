// GET /bucket?browser=true: a page for people to look through a bucket and to download from it.
// (Not of S3; Apache Ozone's endpoint has one at the same address.) `prefix` and `after` say which
// page, `download` an object whose key no path can carry.
#include "s3/browser/answer.h"
#include "s3/browser/page.h"
#include "s3/conditions.h"
#include "s3/limits.h"
#include "s3/ops/ops.h"

namespace amphora::s3 {
namespace {

constexpr std::int64_t kLinkSeconds = 900;  // of links in a page that was asked for by header

// With whose key and until when the page's links are signed; nothing in open mode. They hold for as
// long as the page's own address and no longer.
Outcome<std::optional<Signing>> SigningOf(const Call& call) {
  if (call.service.options.auth == AuthMode::kOpen) return std::optional<Signing>();
  const auto key = call.service.lookup(call.identity.access_key);
  if (!key.ok()) return EngineFailure(key.error(), Subject::kBucket);
  Signing signing{.access_key = call.identity.access_key,
                  .secret = key->secret,
                  .region = call.service.options.region,
                  .timestamp = std::string(call.request.QueryValue("X-Amz-Date")),
                  .expires_seconds = kLinkSeconds};
  if (signing.timestamp.empty() || call.request.Query("X-Amz-Expires") == nullptr) {
    signing.timestamp = SigningTimestamp(Time::Now());
  } else {
    signing.expires_seconds =
        std::strtoll(std::string(call.request.QueryValue("X-Amz-Expires")).c_str(), nullptr, 10);
  }
  return std::optional<Signing>(std::move(signing));
}

// The endpoint as the reader's own tools would name it: without the bucket's name in front.
std::string EndpointOf(const Call& call) {
  Origin origin = FindOrigin(call.request, call.service.trusted_proxies);
  if (origin.host.empty()) return {};
  const std::string& bucket = call.request.bucket();
  if (call.request.virtual_host() && StartsWithIgnoreCase(origin.host, bucket + ".")) {
    origin.host.erase(0, bucket.size() + 1);
  }
  return origin.url();
}

Outcome<Response> Download(const Call& call, const fs::BucketInfo& bucket, const std::string& key) {
  auto reader = call.service.engine.objects().Open(bucket.id, key);
  if (!reader.ok()) return MissingObject(call, reader.error());
  auto response = DescribeObject(call, (*reader)->info());
  if (!response) return std::unexpected(std::move(response.error()));
  const ByteRange range = response->second;
  response->first.SetObject(std::move(*reader), range.offset, range.length);
  return std::move(response->first);
}

}  // namespace

Task<Outcome<Response>> BrowseBucket(Call& call) {
  const Request& request = call.request;
  if (request.QueryValue("browser") != "true") {
    co_return Fail(S3Code::kInvalidArgument, "browser can only be true");
  }
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  if (const QueryParameter* key = request.Query("download"); key != nullptr) {
    co_return Download(call, *bucket, key->value);
  }
  auto signing = SigningOf(call);
  if (!signing) co_return std::unexpected(std::move(signing.error()));
  const std::string prefix(request.QueryValue("prefix"));
  const std::string after(request.QueryValue("after"));
  if (prefix.size() > fs::kMaxKeyBytes || after.size() > fs::kMaxKeyBytes) {
    co_return Fail(S3Code::kInvalidArgument, "prefix and after are as long as a key at most");
  }
  const std::string endpoint = EndpointOf(call);
  const BrowserLinks links(request, std::move(*signing));
  // Listing, signing and rendering a page all run on the pool: up to a thousand rows.
  auto render = [&]() -> Result<std::string> {
    const fs::ListRequest wanted{.bucket = bucket->id,
                                 .prefix = prefix,
                                 .delimiter = "/",
                                 .start_after = after,
                                 .limit = kMaxListKeys};
    AMPHORA_ASSIGN(const fs::ListPage list, call.service.engine.objects().List(wanted));
    return RenderPage({.bucket = request.bucket(),
                       .prefix = prefix,
                       .after = after,
                       .endpoint = endpoint,
                       .anonymous = call.service.options.auth == AuthMode::kOpen,
                       .list = list},
                      links);
  };
  auto html = co_await OnPool(call.service.pool, render);
  if (!html.ok()) co_return EngineFailure(html.error(), Subject::kObject);
  co_return PageAnswer(200, std::move(*html));
}

}  // namespace amphora::s3
