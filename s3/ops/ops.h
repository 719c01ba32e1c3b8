// The operations of routes.def: one function each, in the file of its name. A function reads the
// request, calls the engine, and answers; what waits for disk or locks runs on the pool, and a
// mutation's answer waits for its ticket.
#pragma once

#include <utility>

#include "s3/checksums.h"
#include "s3/conditions.h"
#include "s3/router.h"

namespace amphora::s3 {

#define S3_ROUTE(method, scope, selector, takes, operation) \
  Task<Outcome<Response>> operation(Call& call);
#define S3_NOT_BUILT_ROUTE(method, scope)
#define S3_SUBRESOURCE(name)
#define S3_HEADER(method, name, allowed)
#include "s3/routes.def"
#undef S3_ROUTE
#undef S3_NOT_BUILT_ROUTE
#undef S3_SUBRESOURCE
#undef S3_HEADER

// The bucket that the request names. Also kAccessDenied when x-amz-expected-bucket-owner names
// somebody else. Costs no store read for a known bucket.
Outcome<fs::BucketInfo> FindBucket(const Call& call);

// A whole XML body that is as promised, at most `limit` bytes (2 MiB unless told).
Task<Outcome<std::string>> ReadXmlBody(Call& call);
Task<Outcome<std::string>> ReadXmlBody(Call& call, std::size_t limit, Promise promise);

// Of GET and HEAD: conditions decided, range chosen, headers written; the part of the object that
// the answer is about.
Outcome<std::pair<Response, ByteRange>> DescribeObject(const Call& call,
                                                       const fs::ObjectInfo& info);

// The object that x-amz-copy-source names, its bucket found as FindBucket does
// (x-amz-source-expected-bucket-owner).
struct FoundSource {
  fs::BucketInfo bucket;
  std::string key;
};
Outcome<FoundSource> FindCopySource(const Call& call);

// The size that an upload's headers declare, `most` bytes at most. kMissingContentLength,
// kEntityTooLarge.
Outcome<std::uint64_t> DeclaredSize(const Call& call, std::uint64_t most);

// A count in the query (max-keys and its like), brought down to `most`. Absent or empty:
// `otherwise`. kInvalidArgument when it is no number of 0 to 2,147,483,647.
struct CountLimits {
  std::size_t most = 0;
  std::optional<std::size_t> otherwise = std::nullopt;  // nothing: `most`
};
Outcome<std::size_t> ReadCount(const Request& request, std::string_view name,
                               const CountLimits& limits);

// The same of a header.
Outcome<std::size_t> ReadCountHeader(const Request& request, std::string_view name,
                                     const CountLimits& limits);

// Whether encoding-type asks for names in percent-encoding. kInvalidArgument unless "url".
Outcome<bool> ReadEncodingType(const Request& request);

// x-amz-checksum-algorithm; kInvalidRequest when it is none of the five.
Outcome<std::optional<fs::DigestKind>> ReadChecksumAlgorithm(const Request& request);

// The answer for a key that is not there (or can't be one).
std::unexpected<Failure> MissingObject(const Call& call, const Error& error);

// The answer to a write of the request's key that failed under `conditions`.
Failure WriteFailure(const Call& call, const Error& error, const fs::Conditions& conditions);

inline std::unexpected<Failure> EngineFailure(const Error& error, Subject subject) {
  return std::unexpected(FromEngine(error, subject));
}

}  // namespace amphora::s3
