#include "s3/auth/payload.h"

#include <algorithm>
#include <charconv>

#include "meta/base/encoding.h"
#include "s3/auth/headers.h"

namespace amphora::s3 {
namespace {

using namespace auth;  // NOLINT(google-build-using-namespace): our own internals

constexpr std::size_t kMaxTrailers = 16;

struct Word {
  std::string_view text;
  PayloadMode mode;
};
constexpr Word kWords[] = {
    {"UNSIGNED-PAYLOAD", PayloadMode::kUnsigned},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", PayloadMode::kChunkedSigned},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", PayloadMode::kChunkedSignedTrailer},
    {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", PayloadMode::kChunkedUnsignedTrailer},
};

std::unexpected<AuthError> Fail(AuthFailure failure) {
  return std::unexpected(AuthError{.failure = failure});
}

bool SaysAwsChunked(std::span<const HeaderField> headers) {
  const auto encoding = FindHeader(headers, "content-encoding");
  if (!encoding) return false;
  return std::ranges::any_of(Split(*encoding, ','), [](std::string_view token) {
    return EqualIgnoringCase(token, "aws-chunked");
  });
}

std::expected<void, AuthError> ReadMode(std::string_view text, Payload& payload) {
  for (const Word& word : kWords) {
    if (word.text != text) continue;
    payload.mode = word.mode;
    return {};
  }
  auto hash = text.size() == 64 ? FromHex(text) : std::nullopt;
  if (!hash) return Fail(AuthFailure::kInvalidContentSha256);
  payload.mode = PayloadMode::kHash;
  payload.sha256 = std::move(*hash);
  return {};
}

std::expected<void, AuthError> ReadChunkedHeaders(std::span<const HeaderField> headers,
                                                  Payload& payload) {
  const auto length = FindHeader(headers, "x-amz-decoded-content-length");
  if (!length || length->empty()) return Fail(AuthFailure::kNoDecodedLength);
  const char* end = length->data() + length->size();
  const auto [last, error] = std::from_chars(length->data(), end, payload.decoded_length);
  if (error != std::errc() || last != end) return Fail(AuthFailure::kNoDecodedLength);
  const auto trailers = FindHeader(headers, "x-amz-trailer");
  if (!trailers) return {};
  for (const std::string_view name : Split(*trailers, ',')) {
    if (payload.trailers.size() == kMaxTrailers) return Fail(AuthFailure::kInvalidTrailerList);
    payload.trailers.push_back(ToLower(name));
  }
  // A body without a trailer part can't keep the promise.
  if (!payload.trailers.empty() && payload.mode == PayloadMode::kChunkedSigned) {
    return Fail(AuthFailure::kInvalidTrailerList);
  }
  return {};
}

}  // namespace

std::expected<Payload, AuthError> ReadPayload(std::span<const HeaderField> headers,
                                              std::string_view content_sha256) {
  Payload payload;
  std::string said(content_sha256);
  if (said.empty()) said = FindHeader(headers, "x-amz-content-sha256").value_or("");
  if (!said.empty()) {
    if (auto read = ReadMode(said, payload); !read) return std::unexpected(std::move(read.error()));
  }
  if (payload.mode == PayloadMode::kUnsigned && SaysAwsChunked(headers) &&
      FindHeader(headers, "x-amz-decoded-content-length")) {
    payload.mode = PayloadMode::kChunkedUnsignedTrailer;
  }
  if (IsChunked(payload.mode)) {
    if (auto read = ReadChunkedHeaders(headers, payload); !read) {
      return std::unexpected(std::move(read.error()));
    }
  }
  return payload;
}

}  // namespace amphora::s3
