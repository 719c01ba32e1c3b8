// Payload modes and their limits, header by header (S3: x-amz-content-sha256).
#include "s3/auth/payload.h"

#include <gtest/gtest.h>

#include <string>

namespace amphora::s3 {
namespace {

using Headers = std::vector<HeaderField>;

AuthFailure FailureOf(const Headers& headers) {
  const auto payload = ReadPayload(headers);
  EXPECT_FALSE(payload.has_value());
  return payload ? AuthFailure::kLookupFailed : payload.error().failure;
}

TEST(PayloadTest, NothingSaidMeansUnsigned) {
  EXPECT_EQ(ReadPayload(Headers{})->mode, PayloadMode::kUnsigned);
  EXPECT_EQ(ReadPayload(Headers{{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}})->mode,
            PayloadMode::kUnsigned);
}

TEST(PayloadTest, AHashIsDecoded) {
  const std::string hash(64, 'a');
  const auto payload = ReadPayload(Headers{{"X-Amz-Content-SHA256", hash}});
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->mode, PayloadMode::kHash);
  EXPECT_EQ(payload->sha256, std::string(32, '\xaa'));
}

TEST(PayloadTest, OtherWordsAreRefused) {
  for (const std::string& text :
       {std::string("unsigned-payload"), std::string("STREAMING"), std::string(63, 'a'),
        std::string(64, 'g'), std::string("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")}) {
    EXPECT_EQ(FailureOf({{"x-amz-content-sha256", text}}), AuthFailure::kInvalidContentSha256)
        << text;
  }
}

TEST(PayloadTest, ChunkedBodiesNeedAReadableLength) {
  const HeaderField chunked{"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"};
  EXPECT_EQ(FailureOf({chunked}), AuthFailure::kNoDecodedLength);
  for (const char* length : {"", "-1", "+1", "1x", "0x10", "99999999999999999999999"}) {
    EXPECT_EQ(FailureOf({chunked, {"x-amz-decoded-content-length", length}}),
              AuthFailure::kNoDecodedLength)
        << length;
  }
  const auto payload = ReadPayload(Headers{chunked, {"X-Amz-Decoded-Content-Length", " 66560 "}});
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->decoded_length, 66560u);
}

TEST(PayloadTest, TrailersAreListedInLowerCase) {
  const auto payload =
      ReadPayload(Headers{{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                          {"x-amz-decoded-content-length", "0"},
                          {"x-amz-trailer", "X-Amz-Checksum-CRC32, x-amz-b"}});
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->trailers, (std::vector<std::string>{"x-amz-checksum-crc32", "x-amz-b"}));
}

TEST(PayloadTest, TrailersHaveALimitAndNeedAModeThatCarriesThem) {
  std::string many;
  for (int i = 0; i < 17; ++i) many += "t" + std::to_string(i) + ",";
  EXPECT_EQ(FailureOf({{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                       {"x-amz-decoded-content-length", "0"},
                       {"x-amz-trailer", many}}),
            AuthFailure::kInvalidTrailerList);
  EXPECT_EQ(FailureOf({{"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                       {"x-amz-decoded-content-length", "0"},
                       {"x-amz-trailer", "x-amz-checksum-crc32"}}),
            AuthFailure::kInvalidTrailerList);
}

TEST(PayloadTest, AnonymousClientsFrameTheirBodiesToo) {
  const auto payload = ReadPayload(Headers{{"Content-Encoding", "gzip, aws-chunked"},
                                           {"X-Amz-Decoded-Content-Length", "5"},
                                           {"X-Amz-Trailer", "x-amz-checksum-crc32"}});
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->mode, PayloadMode::kChunkedUnsignedTrailer);
  EXPECT_EQ(ReadPayload(Headers{{"Content-Encoding", "gzip"}})->mode, PayloadMode::kUnsigned);
}

}  // namespace
}  // namespace amphora::s3
