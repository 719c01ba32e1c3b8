#include "s3/auth/failure.h"

#include <cstddef>
#include <iterator>

namespace amphora::s3 {
namespace {

// In the order of the enum. (S3 API: error responses; the codes and statuses are AWS's)
constexpr AuthFailureRow kRows[] = {
    {AuthFailure::kAnonymous, 403, "AccessDenied", "Access Denied"},
    {AuthFailure::kExpired, 403, "AccessDenied", "Request has expired"},
    {AuthFailure::kNotYetValid, 403, "AccessDenied", "Request is not valid yet"},
    {AuthFailure::kUnsignedHeaders, 403, "AccessDenied",
     "There were headers present in the request which were not signed"},
    {AuthFailure::kHeaderMalformed, 400, "AuthorizationHeaderMalformed",
     "The authorization header is malformed"},
    {AuthFailure::kWrongRegion, 400, "AuthorizationHeaderMalformed",
     "The authorization header is malformed; the region is wrong"},
    {AuthFailure::kQueryMalformed, 400, "AuthorizationQueryParametersError",
     "The X-Amz-* query parameters can't be read"},
    {AuthFailure::kWrongQueryRegion, 400, "AuthorizationQueryParametersError",
     "The region of X-Amz-Credential is wrong"},
    {AuthFailure::kSeveralMechanisms, 400, "InvalidArgument",
     "Only one auth mechanism allowed: the Authorization header or the X-Amz-* query parameters"},
    {AuthFailure::kUnsupportedMechanism, 400, "InvalidRequest",
     "The authorization mechanism is not supported; use AWS4-HMAC-SHA256"},
    {AuthFailure::kUnknownScheme, 400, "InvalidArgument", "Unsupported Authorization Type"},
    {AuthFailure::kUnknownAccessKey, 403, "InvalidAccessKeyId",
     "The access key id does not exist in our records"},
    {AuthFailure::kSignatureMismatch, 403, "SignatureDoesNotMatch",
     "The request signature we calculated does not match the signature you provided; check your "
     "secret key and how the request is signed"},
    {AuthFailure::kTimeSkewed, 403, "RequestTimeTooSkewed",
     "The difference between the request time and the current time is too large"},
    {AuthFailure::kNoDate, 403, "AccessDenied",
     "AWS authentication requires a valid Date or x-amz-date header"},
    {AuthFailure::kNoContentSha256, 400, "InvalidRequest",
     "Missing required header for this request: x-amz-content-sha256"},
    {AuthFailure::kInvalidContentSha256, 400, "InvalidArgument",
     "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid "
     "sha256 value"},
    {AuthFailure::kNoDecodedLength, 411, "MissingContentLength",
     "An aws-chunked body needs the x-amz-decoded-content-length header"},
    {AuthFailure::kInvalidTrailerList, 400, "InvalidRequest",
     "The value specified in the x-amz-trailer header is not supported"},
    {AuthFailure::kInvalidToken, 400, "InvalidToken",
     "The provided token is malformed or otherwise invalid; this server gives no session tokens "
     "out"},
    {AuthFailure::kMalformedUri, 400, "InvalidURI", "Couldn't parse the specified URI"},
    {AuthFailure::kLookupFailed, 500, "InternalError", "The access key could not be looked up"},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    if (static_cast<std::size_t>(kRows[i].failure) != i) return false;
  }
  return std::size(kRows) == static_cast<std::size_t>(AuthFailure::kLookupFailed) + 1;
}
static_assert(InOrder());

}  // namespace

const AuthFailureRow& RowOf(AuthFailure failure) {
  return kRows[static_cast<std::size_t>(failure)];
}

}  // namespace amphora::s3
