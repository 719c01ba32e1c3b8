// What a request says about its own signature, read but not yet believed: the Authorization header
// or the X-Amz-* query parameters. Internal to s3/auth. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "s3/auth/failure.h"
#include "s3/auth/payload.h"
#include "s3/uri.h"

namespace amphora::s3::auth {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kTerminator = "aws4_request";
inline constexpr std::int64_t kMaxPresignedSeconds = 7 * 24 * 3600;
inline constexpr std::size_t kMaxAuthorizationBytes = 16 << 10;

// "<access key>/20130524/us-east-1/s3/aws4_request"
struct Credential {
  std::string access_key = {};
  std::string day = {};
  std::string region = {};
  std::string service = {};

  std::string Scope() const;  // without the access key
};

struct Claim {
  Credential credential = {};
  std::vector<std::string> signed_headers = {};  // lower case, in the order signed
  std::string signature = {};                    // not empty; anything but 64 digits will not match
  bool presigned = false;
  // Of presigned requests only:
  std::string timestamp = {};
  std::int64_t expires_seconds = 0;
  std::string content_sha256 = {};  // X-Amz-Content-Sha256, mostly empty
};

// Splits from the right, for access keys may contain '/'. Nothing when a part is missing or empty,
// or the day is not 8 digits.
std::optional<Credential> ParseCredential(std::string_view text);

// The value of an Authorization header. kUnsupportedMechanism, kUnknownScheme, kHeaderMalformed.
std::expected<Claim, AuthError> ParseAuthorization(std::string_view value);

// True when the query carries a signature of any kind: then the request claims to be presigned.
bool ClaimsToBePresigned(std::span<const QueryParameter> query);

// kUnsupportedMechanism, kQueryMalformed.
std::expected<Claim, AuthError> ParsePresigned(std::span<const QueryParameter> query);

}  // namespace amphora::s3::auth
