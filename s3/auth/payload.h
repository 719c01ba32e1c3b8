// What a request says about the form of its body: x-amz-content-sha256 and the aws-chunked headers.
// Needed in open mode too, where no signature is checked but framing must be undone.
// (AWS: Signature Calculations for the Authorization Header) Thread-safe: values and pure
// functions.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "s3/auth/failure.h"

namespace amphora::s3 {

// One header line, name in any case, value with or without surrounding blanks.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

enum class PayloadMode : std::uint8_t {
  kUnsigned,                // UNSIGNED-PAYLOAD, or nothing said
  kHash,                    // 64 hexadecimal digits: the SHA-256 of the body
  kChunkedSigned,           // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  kChunkedSignedTrailer,    // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
  kChunkedUnsignedTrailer,  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
};

constexpr bool IsChunked(PayloadMode mode) { return mode >= PayloadMode::kChunkedSigned; }

struct Payload {
  PayloadMode mode = PayloadMode::kUnsigned;
  std::string sha256;                // raw 32 bytes, of kHash only
  std::uint64_t decoded_length = 0;  // bytes of payload, of the chunked modes only
  std::vector<std::string>
      trailers;  // lower-case names that x-amz-trailer announces (chunked modes)
};

// Reads the headers of one request. `content_sha256`: the value that counts instead of the header's
// (a presigned query's), or empty. A body with "Content-Encoding: aws-chunked" and a decoded length
// is chunked even when nothing is said in x-amz-content-sha256: unsigned clients send it so.
// kInvalidContentSha256, kNoDecodedLength.
std::expected<Payload, AuthError> ReadPayload(std::span<const HeaderField> headers,
                                              std::string_view content_sha256 = {});

}  // namespace amphora::s3
