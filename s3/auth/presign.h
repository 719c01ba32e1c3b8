// Signs an address, so that it can be opened without a key. (AWS: Authenticating Requests: Using
// Query Parameters) Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "meta/base/clock.h"
#include "s3/uri.h"

namespace amphora::s3 {

// Whose key signs, and for how long the signature holds.
struct Signing {
  std::string access_key;
  std::string secret;
  std::string region;
  std::string timestamp;             // "20130524T000000Z"
  std::int64_t expires_seconds = 0;  // 1 to 604,800 (AWS's limit: seven days)
};

// "20130524T000000Z"
std::string SigningTimestamp(Time time);

// The query of a presigned GET of `raw_path` (escaped as it will be sent) on `host` (as it will be
// in the Host header): `query` first, escaped, then X-Amz-*.
std::string PresignGet(const Signing& signing, std::string_view host, std::string_view raw_path,
                       std::vector<QueryParameter> query);

// "a=b&c=d", escaped.
std::string QueryText(const std::vector<QueryParameter>& query);

}  // namespace amphora::s3
