#include "s3/auth/sigv4.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "s3/auth/canonical.h"
#include "s3/auth/credential.h"
#include "s3/auth/date.h"
#include "s3/auth/hash.h"
#include "s3/auth/headers.h"
#include "s3/auth/key_cache.h"
#include "s3/http_date.h"

namespace amphora::s3 {
namespace {

using namespace auth;  // NOLINT(google-build-using-namespace): our own internals

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMillisecond;
constexpr std::int64_t kMaxSkew = 15 * 60 * kSecond;

std::unexpected<AuthError> Fail(AuthFailure failure, std::string message = {}) {
  return std::unexpected(AuthError{.failure = failure, .message = std::move(message)});
}

// What is known of a request once its own words have been read.
struct Reading {
  std::vector<QueryParameter> query;
  Claim claim;
  std::string timestamp;     // as it goes into the string to sign
  std::string payload_hash;  // likewise
  Payload payload;
};

std::expected<Claim, AuthError> ReadClaim(const SignedRequest& request,
                                          std::span<const QueryParameter> query) {
  const auto authorization = FindHeader(request.headers, "authorization");
  const bool presigned = ClaimsToBePresigned(query);
  if (authorization && presigned) return Fail(AuthFailure::kSeveralMechanisms);
  if (authorization) return ParseAuthorization(*authorization);
  if (presigned) return ParsePresigned(query);
  return Fail(AuthFailure::kAnonymous);
}

std::expected<void, AuthError> CheckScope(const Claim& claim, std::string_view region) {
  const AuthFailure malformed =
      claim.presigned ? AuthFailure::kQueryMalformed : AuthFailure::kHeaderMalformed;
  const std::string where = claim.presigned ? "Error parsing the X-Amz-Credential parameter; "
                                            : "The authorization header is malformed; ";
  if (claim.credential.service != "s3") {
    return Fail(malformed, where + "incorrect service \"" + claim.credential.service +
                               "\". This endpoint belongs to \"s3\".");
  }
  if (claim.credential.region == region) return {};
  AuthError error{
      .failure = claim.presigned ? AuthFailure::kWrongQueryRegion : AuthFailure::kWrongRegion,
      .message = where + "the region '" + claim.credential.region + "' is wrong; expecting '" +
                 std::string(region) + "'",
      .region = std::string(region)};
  return std::unexpected(std::move(error));
}

struct SigningTime {
  std::string timestamp;
  Time time;
};

std::expected<SigningTime, AuthError> ReadTime(const SignedRequest& request, const Claim& claim) {
  if (claim.presigned) {
    const auto time = ParseAmzDate(claim.timestamp);
    if (!time) {
      return Fail(AuthFailure::kQueryMalformed,
                  "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    }
    return SigningTime{claim.timestamp, *time};
  }
  if (const auto amz = FindHeader(request.headers, "x-amz-date")) {
    const auto time = ParseAmzDate(*amz);
    if (!time) return Fail(AuthFailure::kNoDate);
    return SigningTime{*amz, *time};
  }
  const auto date = FindHeader(request.headers, "date");
  if (!date) return Fail(AuthFailure::kNoDate);
  const auto time = ParseHttpDate(*date);
  if (!time) return Fail(AuthFailure::kNoDate);
  return SigningTime{FormatAmzDate(*time), *time};
}

std::expected<void, AuthError> CheckTime(const Claim& claim, const SigningTime& signed_at,
                                         Time now) {
  if (!signed_at.timestamp.starts_with(claim.credential.day)) {
    return Fail(claim.presigned ? AuthFailure::kQueryMalformed : AuthFailure::kHeaderMalformed,
                "Invalid credential date \"" + claim.credential.day +
                    "\". This date is not the same as that of the request: \"" +
                    signed_at.timestamp.substr(0, 8) + "\".");
  }
  const std::int64_t age = now.nanoseconds() - signed_at.time.nanoseconds();
  if (!claim.presigned) {
    if (age <= kMaxSkew && age >= -kMaxSkew) return {};
    return std::unexpected(AuthError{
        .failure = AuthFailure::kTimeSkewed,
        .details = {{"RequestTime", signed_at.timestamp},
                    {"ServerTime", ToIsoDate(now)},
                    {"MaxAllowedSkewMilliseconds", std::to_string(kMaxSkew / kMillisecond)}}});
  }
  if (age < -kMaxSkew) return Fail(AuthFailure::kNotYetValid);
  if (age > claim.expires_seconds * kSecond) {
    return std::unexpected(
        AuthError{.failure = AuthFailure::kExpired, .details = {{"ServerTime", ToIsoDate(now)}}});
  }
  return {};
}

bool IsSigned(const Claim& claim, std::string_view name) {
  return std::ranges::any_of(claim.signed_headers, [name](const std::string& signed_name) {
    return EqualIgnoringCase(signed_name, name);
  });
}

std::expected<void, AuthError> CheckSignedHeaders(const SignedRequest& request,
                                                  const Claim& claim) {
  if (!IsSigned(claim, "host")) {
    return Fail(AuthFailure::kUnsignedHeaders,
                "There were headers present in the request which were not signed: host");
  }
  for (const HeaderField& header : request.headers) {
    const bool amz =
        header.name.size() >= 6 && EqualIgnoringCase(header.name.substr(0, 6), "x-amz-");
    if (!amz || IsSigned(claim, header.name)) continue;
    return Fail(
        AuthFailure::kUnsignedHeaders,
        "There were headers present in the request which were not signed: " + ToLower(header.name));
  }
  return {};
}

bool HasSessionToken(const SignedRequest& request, std::span<const QueryParameter> query) {
  return FindHeader(request.headers, "x-amz-security-token") ||
         std::ranges::any_of(query, [](const QueryParameter& parameter) {
           return parameter.name == "X-Amz-Security-Token";
         });
}

// What goes into the signature for the body. A presigned URL is made before its body is known.
std::expected<std::string, AuthError> ReadPayloadHash(const SignedRequest& request,
                                                      const Claim& claim) {
  if (!claim.content_sha256.empty()) return claim.content_sha256;
  auto header = FindHeader(request.headers, "x-amz-content-sha256");
  if (header && !header->empty()) return std::move(*header);
  if (claim.presigned) return std::string("UNSIGNED-PAYLOAD");
  return Fail(AuthFailure::kNoContentSha256);
}

// Everything that can be said against the request without its key.
std::expected<Reading, AuthError> Read(const SignedRequest& request, Time now,
                                       std::string_view region) {
  Reading reading;
  auto query = ParseQuery(request.raw_query);
  if (!query) return Fail(AuthFailure::kMalformedUri);
  reading.query = std::move(*query);
  auto claim = ReadClaim(request, reading.query);
  if (!claim) return std::unexpected(std::move(claim.error()));
  reading.claim = std::move(*claim);
  if (auto scope = CheckScope(reading.claim, region); !scope) return std::unexpected(scope.error());
  auto signed_at = ReadTime(request, reading.claim);
  if (!signed_at) return std::unexpected(std::move(signed_at.error()));
  if (auto time = CheckTime(reading.claim, *signed_at, now); !time) {
    return std::unexpected(time.error());
  }
  reading.timestamp = std::move(signed_at->timestamp);
  if (auto covered = CheckSignedHeaders(request, reading.claim); !covered) {
    return std::unexpected(covered.error());
  }
  auto hash = ReadPayloadHash(request, reading.claim);
  if (!hash) return std::unexpected(std::move(hash.error()));
  reading.payload_hash = std::move(*hash);
  auto payload = ReadPayload(request.headers, reading.payload_hash);
  if (!payload) return std::unexpected(std::move(payload.error()));
  reading.payload = std::move(*payload);
  return reading;
}

std::expected<fs::AccessKey, AuthError> LookUp(const Claim& claim, const KeyLookup& lookup) {
  auto key = lookup(claim.credential.access_key);
  if (key.ok()) return std::move(*key);
  const bool unknown = key.Is(ErrorCode::kNoSuchKey);
  return std::unexpected(
      AuthError{.failure = unknown ? AuthFailure::kUnknownAccessKey : AuthFailure::kLookupFailed,
                .access_key = claim.credential.access_key});
}

}  // namespace

SigV4Verifier::SigV4Verifier(std::string region)
    : region_(std::move(region)), keys_(std::make_unique<KeyCache>()) {}
SigV4Verifier::~SigV4Verifier() = default;

std::expected<Identity, AuthError> SigV4Verifier::Verify(const SignedRequest& request, Time now,
                                                         const KeyLookup& lookup) const {
  auto reading = Read(request, now, region_);
  if (!reading) return std::unexpected(std::move(reading.error()));
  const Claim& claim = reading->claim;
  const auto canonical = CanonicalRequest({.method = request.method,
                                           .raw_path = request.raw_path,
                                           .query = reading->query,
                                           .headers = request.headers,
                                           .signed_headers = claim.signed_headers,
                                           .payload_hash = reading->payload_hash});
  if (!canonical) return Fail(AuthFailure::kMalformedUri);
  auto key = LookUp(claim, lookup);
  if (!key) return std::unexpected(std::move(key.error()));
  if (HasSessionToken(request, reading->query)) return Fail(AuthFailure::kInvalidToken);

  const SigningKey signing_key = keys_->Get(key->secret, claim.credential);
  const std::string scope = claim.credential.Scope();
  const std::string to_sign =
      StringToSign({.timestamp = reading->timestamp, .scope = scope}, *canonical);
  if (!EqualInConstantTime(ToHex(HmacSha256(signing_key, to_sign)), claim.signature)) {
    return std::unexpected(AuthError{.failure = AuthFailure::kSignatureMismatch,
                                     .access_key = claim.credential.access_key});
  }
  Identity identity{.access_key = claim.credential.access_key,
                    .owner = std::move(key->owner),
                    .uid = key->uid,
                    .gid = key->gid};
  const PayloadMode mode = reading->payload.mode;
  if (mode == PayloadMode::kChunkedSigned || mode == PayloadMode::kChunkedSignedTrailer) {
    identity.chunk_signing = ChunkSigning{.key = signing_key,
                                          .seed_signature = claim.signature,
                                          .timestamp = std::move(reading->timestamp),
                                          .scope = scope};
  }
  identity.payload = std::move(reading->payload);
  return identity;
}

}  // namespace amphora::s3
