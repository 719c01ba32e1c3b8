// GET /: the buckets of volume /s3v. (S3: ListBuckets)
#include <algorithm>
#include <charconv>

#include "meta/base/encoding.h"
#include "s3/http_date.h"
#include "s3/limits.h"
#include "s3/ops/ops.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

struct BucketPage {
  std::string prefix;
  std::string after;  // a bucket name, exclusive
  std::size_t limit = kMaxBuckets;
};

Outcome<BucketPage> ReadPage(const Request& request) {
  BucketPage page;
  page.prefix = request.QueryValue("prefix");
  if (const QueryParameter* limit = request.Query("max-buckets"); limit != nullptr) {
    const char* end = limit->value.data() + limit->value.size();
    const auto parsed = std::from_chars(limit->value.data(), end, page.limit);
    if (parsed.ec != std::errc() || parsed.ptr != end || page.limit < 1 ||
        page.limit > kMaxBuckets) {
      return Fail(S3Code::kInvalidArgument, "max-buckets must be between 1 and 10000");
    }
  }
  if (const QueryParameter* token = request.Query("continuation-token"); token != nullptr) {
    auto after = FromBase64(token->value);
    if (!after || after->empty()) {
      return Fail(S3Code::kInvalidArgument, "The continuation token provided is incorrect");
    }
    page.after = std::move(*after);
  }
  return page;
}

std::string Render(const BucketPage& page, const std::vector<fs::BucketInfo>& buckets,
                   const Call& call) {
  XmlWriter xml;
  xml.OpenRoot("ListAllMyBucketsResult");
  xml.Open("Owner");
  xml.Element("ID", call.identity.owner);
  xml.Element("DisplayName", call.identity.owner);
  xml.Close("Owner");
  xml.Open("Buckets");
  std::size_t shown = 0;
  std::string last;
  bool truncated = false;
  for (const fs::BucketInfo& bucket : buckets) {
    if (!bucket.name.starts_with(page.prefix) || bucket.name <= page.after) continue;
    if (shown == page.limit) {
      truncated = true;
      break;
    }
    xml.Open("Bucket");
    xml.Element("Name", bucket.name);
    xml.Element("CreationDate", ToIsoDate(bucket.created));
    xml.Element("BucketRegion", call.service.options.region);
    xml.Close("Bucket");
    last = bucket.name;
    ++shown;
  }
  xml.Close("Buckets");
  if (truncated) xml.Element("ContinuationToken", ToBase64(last));
  if (!page.prefix.empty()) xml.Element("Prefix", page.prefix);
  xml.Close("ListAllMyBucketsResult");
  return std::move(xml).Finish();
}

}  // namespace

Task<Outcome<Response>> ListBuckets(Call& call) {
  auto page = ReadPage(call.request);
  if (!page) co_return std::unexpected(std::move(page.error()));
  auto list = [&call] { return call.service.engine.buckets().ListBuckets(fs::kS3Volume); };
  auto buckets = co_await OnPool(call.service.pool, list);
  if (!buckets.ok()) co_return EngineFailure(buckets.error(), Subject::kBucket);
  std::ranges::sort(*buckets, {}, &fs::BucketInfo::name);
  co_return Response::Xml(Render(*page, *buckets, call));
}

}  // namespace amphora::s3
