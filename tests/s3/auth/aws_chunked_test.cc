// aws-chunked bodies: AWS's two documented examples, every fragmentation, and what must be refused.
#include "s3/aws_chunked.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/s3/auth/support.h"

namespace amphora::s3::test {
namespace {

constexpr std::string_view kChunk1 =
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
constexpr std::string_view kChunk2 =
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497";
constexpr std::string_view kChunk3 =
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9";

// "Example: PUT Object" of "Transferring Payload in Multiple Chunks".
TestRequest SignedChunksRequest() {
  return {
      .method = "PUT",
      .path = "/examplebucket/chunkObject.txt",
      .query = "",
      .headers = {
          {"Host", "s3.amazonaws.com"},
          {"x-amz-date", "20130524T000000Z"},
          {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
          {"Authorization",
           "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
           "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
           "x-amz-decoded-content-length;x-amz-storage-class,Signature="
           "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"},
          {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
          {"Content-Encoding", "aws-chunked"},
          {"x-amz-decoded-content-length", "66560"},
          {"Content-Length", "66824"}}};
}

std::string Chunk(std::string_view size, std::string_view signature, const std::string& data) {
  return std::string(size) + ";chunk-signature=" + std::string(signature) + "\r\n" + data + "\r\n";
}

std::string SignedChunksBody() {
  return Chunk("10000", kChunk1, std::string(65536, 'a')) +
         Chunk("400", kChunk2, std::string(1024, 'a')) + Chunk("0", kChunk3, "");
}

// "Example: PUT Object" of "... Including trailing headers".
TestRequest SignedTrailerRequest() {
  return {
      .method = "PUT",
      .path = "/examplebucket/chunkObject.txt",
      .query = "",
      .headers = {
          {"Host", "s3.amazonaws.com"},
          {"x-amz-date", "20130524T000000Z"},
          {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
          {"Authorization",
           "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
           "SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;"
           "x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,Signature="
           "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"},
          {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"},
          {"Content-Encoding", "aws-chunked"},
          {"x-amz-decoded-content-length", "66560"},
          {"x-amz-trailer", "x-amz-checksum-crc32c"},
          {"Content-Length", "66824"}}};
}

std::string SignedTrailerBody() {
  return Chunk("10000", "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
               std::string(65536, 'a')) +
         Chunk("400", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
               std::string(1024, 'a')) +
         "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
         "x-amz-checksum-crc32c:sOO8/Q==\r\n"
         "x-amz-trailer-signature:"
         "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
}

Identity IdentityOf(const TestRequest& request) {
  auto identity = Verify(request);
  EXPECT_TRUE(identity.has_value()) << identity.error().Message();
  return identity.value_or(Identity{});
}

// The decoded payload, or why not. `cut(left)` says how many bytes to push next.
template <typename Cut>
std::expected<std::string, ChunkedFailure> DecodeAll(AwsChunkedDecoder& decoder,
                                                     std::string_view body, Cut cut) {
  std::string payload;
  while (!body.empty()) {
    std::string_view piece =
        body.substr(0, std::clamp<std::size_t>(cut(body.size()), 1, body.size()));
    body.remove_prefix(piece.size());
    while (!piece.empty()) {
      const auto step = decoder.Decode(std::as_bytes(std::span(piece.data(), piece.size())));
      if (!step) return std::unexpected(step.error());
      EXPECT_GT(step->consumed, 0u);
      payload.append(reinterpret_cast<const char*>(step->payload.data()), step->payload.size());
      piece.remove_prefix(step->consumed);
    }
  }
  if (auto finished = decoder.Finish(); !finished) return std::unexpected(finished.error());
  return payload;
}

std::expected<std::string, ChunkedFailure> DecodeAll(const Payload& payload,
                                                     const std::optional<ChunkSigning>& signing,
                                                     std::string_view body) {
  AwsChunkedDecoder decoder(payload, signing);
  return DecodeAll(decoder, body, [](std::size_t left) { return left; });
}

Payload Unsigned(std::uint64_t length, std::vector<std::string> trailers = {}) {
  return {.mode = PayloadMode::kChunkedUnsignedTrailer,
          .sha256 = {},
          .decoded_length = length,
          .trailers = std::move(trailers)};
}

ChunkedFailure FailureOf(const Payload& payload, std::string_view body) {
  const auto outcome = DecodeAll(payload, std::nullopt, body);
  EXPECT_FALSE(outcome.has_value()) << body;
  return outcome ? ChunkedFailure::kSignatureMismatch : outcome.error();
}

TEST(AwsChunkedTest, TheDocumentedSignedChunks) {
  const Identity identity = IdentityOf(SignedChunksRequest());
  ASSERT_TRUE(identity.chunk_signing);
  EXPECT_EQ(SignedChunksBody().size(), 66824u);
  EXPECT_EQ(DecodeAll(identity.payload, identity.chunk_signing, SignedChunksBody()),
            std::string(66560, 'a'));
}

TEST(AwsChunkedTest, TheDocumentedSignedTrailer) {
  const Identity identity = IdentityOf(SignedTrailerRequest());
  ASSERT_TRUE(identity.chunk_signing);
  AwsChunkedDecoder decoder(identity.payload, identity.chunk_signing);
  EXPECT_EQ(DecodeAll(decoder, SignedTrailerBody(), [](std::size_t left) { return left; }),
            std::string(66560, 'a'));
  ASSERT_EQ(decoder.trailers().size(), 1u);
  EXPECT_EQ(decoder.trailers()[0],
            (std::pair<std::string, std::string>("x-amz-checksum-crc32c", "sOO8/Q==")));
}

TEST(AwsChunkedTest, ATrailerEndedByNewlineAloneAndAnEmptyLine) {
  const Identity identity = IdentityOf(SignedTrailerRequest());
  std::string body = SignedTrailerBody();
  body.replace(body.find("sOO8/Q==\r\n"), 10, "sOO8/Q==\n\r\n");
  EXPECT_TRUE(DecodeAll(identity.payload, identity.chunk_signing, body).has_value());
}

TEST(AwsChunkedTest, AnyFragmentationGivesTheSameBytes) {
  const Identity identity = IdentityOf(SignedTrailerRequest());
  const std::string body = SignedTrailerBody();
  std::mt19937_64 random(1);
  for (int round = 0; round < 30; ++round) {
    AwsChunkedDecoder decoder(identity.payload, identity.chunk_signing);
    const std::size_t most = 1 + random() % (round < 10 ? 3 : 3000);
    const auto payload = DecodeAll(decoder, body, [&](std::size_t) { return random() % most; });
    ASSERT_TRUE(payload.has_value());
    EXPECT_EQ(*payload, std::string(66560, 'a'));
    EXPECT_EQ(decoder.trailers().size(), 1u);
    EXPECT_TRUE(decoder.done());
  }
}

TEST(AwsChunkedTest, AChangedByteOfASignedBodyIsNoticed) {
  for (const auto& [request, body] : {std::pair(SignedChunksRequest(), SignedChunksBody()),
                                      std::pair(SignedTrailerRequest(), SignedTrailerBody())}) {
    const Identity identity = IdentityOf(request);
    std::mt19937_64 random(2);
    for (int round = 0; round < 200; ++round) {
      // Half of the rounds near the end, where the signatures and the trailer are.
      const std::size_t near = round % 2 == 0 ? body.size() : 300;
      const std::size_t at = body.size() - 1 - random() % near;
      std::string bad = body;
      bad[at] = bad[at] == '7' ? '8' : '7';
      if (bad.substr(body.size() - 2) != "\r\n") continue;  // the last line end is forgiven
      EXPECT_FALSE(DecodeAll(identity.payload, identity.chunk_signing, bad).has_value()) << at;
    }
  }
}

TEST(AwsChunkedTest, ChunksCannotBeSwappedOrLeftOut) {
  const Identity identity = IdentityOf(SignedChunksRequest());
  const std::string first = Chunk("10000", kChunk1, std::string(65536, 'a'));
  const std::string second = Chunk("400", kChunk2, std::string(1024, 'a'));
  const std::string last = Chunk("0", kChunk3, "");
  const auto failure = [&](const std::string& body) {
    const auto outcome = DecodeAll(identity.payload, identity.chunk_signing, body);
    EXPECT_FALSE(outcome.has_value());
    return outcome.has_value() ? ChunkedFailure::kMalformed : outcome.error();
  };
  EXPECT_EQ(failure(second + first + last), ChunkedFailure::kSignatureMismatch);
  EXPECT_EQ(failure(first + last), ChunkedFailure::kTooShort);
  EXPECT_EQ(failure(first + second + second + last), ChunkedFailure::kTooLarge);
  EXPECT_EQ(failure(first + second), ChunkedFailure::kTooShort);
  EXPECT_EQ(failure("10000\r\n" + std::string(65536, 'a') + "\r\n" + second + last),
            ChunkedFailure::kSignatureMismatch);
}

TEST(AwsChunkedTest, ASignedTrailerNeedsItsSignature) {
  const Identity identity = IdentityOf(SignedTrailerRequest());
  std::string body = SignedTrailerBody();
  body.resize(body.find("x-amz-trailer-signature"));
  const auto outcome = DecodeAll(identity.payload, identity.chunk_signing, body + "\r\n");
  ASSERT_FALSE(outcome.has_value());
  EXPECT_NE(outcome.error(), ChunkedFailure::kMalformed);
}

TEST(AwsChunkedTest, OpenModeReadsOverSignatures) {
  const Identity identity = IdentityOf(SignedTrailerRequest());
  std::string body = SignedTrailerBody();
  body.replace(body.find("b474"), 4, "0000");
  EXPECT_EQ(DecodeAll(identity.payload, std::nullopt, body), std::string(66560, 'a'));
}

TEST(AwsChunkedTest, UnsignedChunksWithATrailer) {
  const Payload payload = Unsigned(11, {"x-amz-checksum-crc32"});
  AwsChunkedDecoder decoder(payload, std::nullopt);
  const auto bytes = DecodeAll(
      decoder, "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Amz-Checksum-CRC32 : DUoRhQ==\r\n\r\n",
      [](std::size_t) { return 1; });
  EXPECT_EQ(bytes, "hello world");
  ASSERT_EQ(decoder.trailers().size(), 1u);
  EXPECT_EQ(decoder.trailers()[0].first, "x-amz-checksum-crc32");
  EXPECT_EQ(decoder.trailers()[0].second, "DUoRhQ==");
}

TEST(AwsChunkedTest, AnEmptyObject) {
  EXPECT_EQ(DecodeAll(Unsigned(0), std::nullopt, "0\r\n\r\n"), "");
  EXPECT_EQ(DecodeAll(Unsigned(0), std::nullopt, "0\r\n"), "");  // the last line end is forgiven
}

TEST(AwsChunkedTest, MalformedFraming) {
  const std::string long_line = "5;chunk-signature=" + std::string(kMaxChunkHeaderBytes, 'a');
  for (const std::string& body :
       {std::string("\r\n"), std::string("x\r\n"), std::string("-5\r\nhello\r\n"),
        std::string("+5\r\nhello\r\n"), std::string(" 5\r\nhello\r\n"),
        std::string("5 \r\nhello\r\n"), std::string("0x5\r\nhello\r\n"),
        std::string("5\nhello\r\n0\r\n\r\n"), std::string("5\r\nhelloX\r\n0\r\n\r\n"),
        std::string("5\r\nhello\n0\r\n\r\n"), std::string("5;other=1\r\nhello\r\n"),
        std::string("5;\r\nhello\r\n"), std::string("fffffffffffffffff\r\nhello"),
        std::string("5\r\nhello\r\n0\r\nno colon\r\n\r\n"),
        std::string("5\r\nhello\r\n0\r\n:v\r\n\r\n"), std::string("5\r\nhello\r\n0\r\n\r\nmore"),
        std::string("5\r\nhello\r\n0\r\n\r\n\r\n\r\n"), long_line + "\r\nhello\r\n", long_line}) {
    EXPECT_EQ(FailureOf(Unsigned(5), body), ChunkedFailure::kMalformed) << body;
  }
}

TEST(AwsChunkedTest, WrongLengths) {
  EXPECT_EQ(FailureOf(Unsigned(5), "6\r\nhello!\r\n0\r\n\r\n"), ChunkedFailure::kTooLarge);
  EXPECT_EQ(FailureOf(Unsigned(5), "ffffffffffffffff\r\nhello"), ChunkedFailure::kTooLarge);
  EXPECT_EQ(FailureOf(Unsigned(5), "4\r\nhell\r\n1\r\no\r\n1\r\n!\r\n0\r\n\r\n"),
            ChunkedFailure::kTooLarge);
  EXPECT_EQ(FailureOf(Unsigned(5), "4\r\nhell\r\n0\r\n\r\n"), ChunkedFailure::kTooShort);
  for (const char* body : {"", "5", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n",
                           "5\r\nhello\r\n0", "5\r\nhello\r\n0\r"}) {
    EXPECT_EQ(FailureOf(Unsigned(5), body), ChunkedFailure::kTooShort) << body;
  }
}

TEST(AwsChunkedTest, TrailersMustBeTheAnnouncedOnes) {
  const Payload payload = Unsigned(0, {"a", "b"});
  EXPECT_TRUE(DecodeAll(payload, std::nullopt, "0\r\nb:1\r\na:2\r\n\r\n").has_value());
  for (const char* body : {"0\r\na:1\r\n\r\n", "0\r\n\r\n", "0\r\na:1\r\na:2\r\n\r\n",
                           "0\r\na:1\r\nb:2\r\nc:3\r\n\r\n", "0\r\na:1\r\n"}) {
    EXPECT_EQ(FailureOf(payload, body), ChunkedFailure::kTrailerMismatch) << body;
  }
  std::string large = "0\r\na:" + std::string(kMaxTrailerBytes, 'x');
  EXPECT_EQ(FailureOf(payload, large), ChunkedFailure::kMalformed);
}

TEST(AwsChunkedTest, TrailersDoNotBelongToPlainSignedChunks) {
  Payload payload = Unsigned(0);
  payload.mode = PayloadMode::kChunkedSigned;
  EXPECT_EQ(FailureOf(payload, "0;chunk-signature=x\r\na:1\r\n\r\n"), ChunkedFailure::kMalformed);
}

TEST(AwsChunkedTest, AFailureIsFinal) {
  AwsChunkedDecoder decoder(Unsigned(5), std::nullopt);
  const std::string bad = "x\r\n";
  const std::string good = "5\r\nhello\r\n0\r\n\r\n";
  EXPECT_FALSE(decoder.Decode(std::as_bytes(std::span(bad))).has_value());
  EXPECT_FALSE(decoder.Decode(std::as_bytes(std::span(good))).has_value());
  EXPECT_FALSE(decoder.Finish().has_value());
  EXPECT_FALSE(decoder.done());
}

}  // namespace
}  // namespace amphora::s3::test
