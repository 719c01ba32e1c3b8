// Why a request was not let in, and how S3 says so. One row per failure; s3/error.cc answers it.
// Thread-safe: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace amphora::s3 {

enum class AuthFailure : std::uint8_t {
  kAnonymous,             // no signature at all, and this server wants one
  kExpired,               // a presigned URL whose time is over
  kNotYetValid,           // a presigned URL from the future
  kUnsignedHeaders,       // Host or x-amz-* headers that the signature does not cover
  kHeaderMalformed,       // the Authorization header can't be read
  kWrongRegion,           // signed for another region; `region` of the error says ours
  kQueryMalformed,        // the X-Amz-* query parameters can't be read
  kWrongQueryRegion,      // kWrongRegion of a presigned URL
  kSeveralMechanisms,     // both a header and query parameters
  kUnsupportedMechanism,  // SigV2, SigV4A
  kUnknownScheme,         // an Authorization header of another kind
  kUnknownAccessKey,
  kSignatureMismatch,
  kTimeSkewed,            // more than 15 minutes between the clocks
  kNoDate,                // neither x-amz-date nor Date, or unreadable
  kNoContentSha256,       // x-amz-content-sha256 is missing
  kInvalidContentSha256,  // or is neither 64 hexadecimal digits nor one of AWS's words
  kNoDecodedLength,       // aws-chunked without a (readable) x-amz-decoded-content-length
  kInvalidTrailerList,    // x-amz-trailer names too many trailers
  kInvalidToken,          // a session token: this server gives none out
  kMalformedUri,          // the path or query has a broken escape or too many parameters
  kLookupFailed,          // the store could not be asked for the key
};

struct AuthFailureRow {
  AuthFailure failure;
  unsigned http_status;
  std::string_view code;     // S3's error code
  std::string_view message;  // used when the error has no text of its own
};

const AuthFailureRow& RowOf(AuthFailure failure);

// What went wrong in one request. `message` may quote the request's own words but never a secret or
// a computed signature.
struct AuthError {
  AuthFailure failure;
  std::string message = {};  // empty: the row's
  std::string region = {};   // of kWrongRegion: the one to sign for (goes into <Region>)
  // Of kUnknownAccessKey and kSignatureMismatch (goes into <AWSAccessKeyId>).
  std::string access_key = {};
  // More elements of the answer: of kTimeSkewed and kExpired the clocks.
  std::vector<std::pair<std::string, std::string>> details = {};

  std::string_view Message() const { return message.empty() ? RowOf(failure).message : message; }
};

}  // namespace amphora::s3
