// Bodies on their way in: framing, lengths, digests.
#include "fs/data/digests.h"
#include "meta/base/encoding.h"
#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

using BodyTest = S3Test;
using fs::DigestKind;

std::string Raw(DigestKind kind, std::string_view text) {
  fs::DigestSet digests(std::span(&kind, 1));
  digests.Update(std::as_bytes(std::span(text)));
  return digests.Finish()[kind];
}

const std::vector<std::pair<std::string, DigestKind>> kChecksums = {
    {"x-amz-checksum-crc32", DigestKind::kCrc32},
    {"x-amz-checksum-crc32c", DigestKind::kCrc32c},
    {"x-amz-checksum-crc64nvme", DigestKind::kCrc64Nvme},
    {"x-amz-checksum-sha1", DigestKind::kSha1},
    {"x-amz-checksum-sha256", DigestKind::kSha256}};

std::string Hex(std::size_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%zx", number);
  return text;
}

// aws-chunked framing in chunks of `size`, then trailer lines.
std::string Framed(std::string_view content, std::size_t size, const std::string& trailer = "",
                   const std::string& signature = "") {
  std::string framed;
  while (!content.empty()) {
    const std::string_view chunk = content.substr(0, size);
    framed += Hex(chunk.size()) + signature + "\r\n" + std::string(chunk) + "\r\n";
    content.remove_prefix(chunk.size());
  }
  return framed + "0" + signature + "\r\n" + trailer + "\r\n";
}

HeaderList ChunkedHeaders(std::string_view content, const std::string& mode) {
  return {{"x-amz-content-sha256", mode},
          {"Content-Encoding", "gzip,aws-chunked"},
          {"x-amz-decoded-content-length", std::to_string(content.size())}};
}

TEST_F(BodyTest, DigestsInHeadersMustHold) {
  const std::string content = Pattern(100000);
  const std::string other = "other";
  const auto check = [&](const std::string& name, const std::string& good, const std::string& bad,
                         const std::string& code) {
    const Reply wrong = Put("/bucket/key", content, {{name, bad}});
    EXPECT_EQ(wrong.status, 400) << name;
    EXPECT_EQ(wrong.Code(), code) << name;
    EXPECT_EQ(Get("/bucket/key").status, 404) << name;
    const Reply right = Put("/bucket/key", content, {{name, good}});
    EXPECT_EQ(right.status, 200) << name << right.body;
    EXPECT_TRUE(Get("/bucket/key").body == content);
    ASSERT_EQ(Send("DELETE", "/bucket/key").status, 204);
  };
  check("Content-MD5", ToBase64(Raw(DigestKind::kMd5, content)),
        ToBase64(Raw(DigestKind::kMd5, other)), "BadDigest");
  check("x-amz-content-sha256", ToHex(Raw(DigestKind::kSha256, content)),
        ToHex(Raw(DigestKind::kSha256, other)), "XAmzContentSHA256Mismatch");
  for (const auto& [name, kind] : kChecksums) {
    check(name, ToBase64(Raw(kind, content)), ToBase64(Raw(kind, other)), "BadDigest");
  }
}

TEST_F(BodyTest, OfSeveralPromisesTheBrokenOneIsNamed) {
  const HeaderList headers = {{"x-amz-content-sha256", ToHex(Raw(DigestKind::kSha256, "good"))},
                              {"Content-MD5", ToBase64(Raw(DigestKind::kMd5, "bad"))}};
  EXPECT_EQ(Put("/bucket/key", "good", headers).Code(), "BadDigest");
  EXPECT_EQ(Put("/bucket/key", "bad", headers).Code(), "XAmzContentSHA256Mismatch");
}

TEST_F(BodyTest, ADigestThatCannotBeReadIsRefusedBeforeTheBody) {
  EXPECT_EQ(Put("/bucket/key", "x", {{"Content-MD5", "short"}}).Code(), "InvalidDigest");
  EXPECT_EQ(Put("/bucket/key", "x", {{"Content-MD5", ""}}).Code(), "InvalidDigest");
  EXPECT_EQ(Put("/bucket/key", "x", {{"x-amz-checksum-crc32", "AAAA"}}).Code(), "InvalidRequest");
  EXPECT_EQ(Put("/bucket/key", "x",
                {{"x-amz-checksum-crc32", "AAAAAA=="}, {"x-amz-checksum-crc32c", "AAAAAA=="}})
                .Code(),
            "InvalidRequest");
  EXPECT_EQ(Put("/bucket/key", "x", {{"x-amz-sdk-checksum-algorithm", "CRC32"}}).Code(),
            "InvalidRequest");
  EXPECT_EQ(Put("/bucket/key", "x", {{"x-amz-content-sha256", "nonsense"}}).status, 400);
  EXPECT_EQ(Get("/bucket/key").status, 404);
}

TEST_F(BodyTest, ChunksAreUndoneInOpenModeToo) {
  for (const std::size_t size : {0u, 5u, 70000u, 1000000u}) {
    const std::string content = Pattern(size);
    const std::string signature = ";chunk-signature=" + std::string(64, 'a');
    const Reply put = Put("/bucket/key", Framed(content, 66000, "", signature),
                          ChunkedHeaders(content, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"));
    ASSERT_EQ(put.status, 200) << size << put.body;
    const Reply got = Get("/bucket/key");
    EXPECT_TRUE(got.body == content) << size;
    EXPECT_EQ(got.Header("content-encoding"), "gzip");
  }
}

TEST_F(BodyTest, AChecksumInTheTrailerMustHold) {
  const std::string content = Pattern(200000);
  for (const auto& [name, kind] : kChecksums) {
    HeaderList headers = ChunkedHeaders(content, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    headers.emplace_back("x-amz-trailer", name);
    const auto framed = [&](const std::string& digest_of) {
      return Framed(content, 65536, name + ":" + ToBase64(Raw(kind, digest_of)) + "\r\n");
    };
    const Reply wrong = Put("/bucket/key", framed("other"), headers);
    EXPECT_EQ(wrong.Code(), "BadDigest") << name;
    EXPECT_EQ(Get("/bucket/key").status, 404);
    const Reply missing = Put("/bucket/key", Framed(content, 65536), headers);
    EXPECT_EQ(missing.status, 400) << name;
    const Reply right = Put("/bucket/key", framed(content), headers);
    EXPECT_EQ(right.status, 200) << name << right.body;
    EXPECT_EQ(right.Header(name), ToBase64(Raw(kind, content)));
    EXPECT_TRUE(Get("/bucket/key").body == content);
    ASSERT_EQ(Send("DELETE", "/bucket/key").status, 204);
  }
}

TEST_F(BodyTest, TransferEncodingAroundAwsChunkedIsUndone) {
  const std::string content = Pattern(150000);
  HeaderList headers = ChunkedHeaders(content, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  headers.emplace_back("Transfer-Encoding", "chunked");
  headers.emplace_back("x-amz-trailer", "x-amz-checksum-crc32");
  const std::string inner = Framed(
      content, 8192, "x-amz-checksum-crc32:" + ToBase64(Raw(DigestKind::kCrc32, content)) + "\r\n");
  std::string outer;
  for (std::size_t at = 0; at < inner.size(); at += 10000) {
    const std::string piece = inner.substr(at, 10000);
    outer += Hex(piece.size()) + "\r\n" + piece + "\r\n";
  }
  outer += "0\r\n\r\n";
  const Reply put = Put("/bucket/key", outer, headers);
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_TRUE(Get("/bucket/key").body == content);
}

TEST_F(BodyTest, APutWithoutALengthIs411) {
  client().SendRaw("PUT /bucket/key HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  const Reply reply = client().ReadReply();
  EXPECT_EQ(reply.status, 411);
  EXPECT_EQ(reply.Code(), "MissingContentLength");
  NewConnection();
  const Reply chunked =
      Put("/bucket/key", "1\r\nx\r\n0\r\n\r\n", {{"Transfer-Encoding", "chunked"}});
  EXPECT_EQ(chunked.status, 411);
  EXPECT_EQ(Get("/bucket/key").status, 404);
}

TEST_F(BodyTest, ABodyThatStopsEarlyStoresNothing) {
  const std::string before = Dump();
  for (const std::size_t size : {std::size_t{1000}, std::size_t{500000}}) {
    const std::string content = Pattern(size);
    HttpClient cut(server_->port());
    cut.SendRaw(
        RequestText("PUT", "/bucket/key", {{"Content-Length", std::to_string(size + 1)}}, content));
    cut.CloseSending();
    const Reply reply = cut.ReadReply();
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.Code(), "IncompleteBody");
  }
  const std::string content = "hello";
  HttpClient cut(server_->port());
  cut.SendRaw(RequestText("PUT", "/bucket/key",
                          ChunkedHeaders(content, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
                          "5\r\nhel"));
  EXPECT_EQ(cut.ReadReply().status, 400);
  EXPECT_EQ(Get("/bucket/key").status, 404);
  EXPECT_EQ(Dump(), before);
}

TEST_F(BodyTest, ContinueIsSaidOnlyToARequestThatMayGoOn) {
  const HeaderList expect = {{"Expect", "100-continue"}, {"Content-Length", "5"}};
  client().SendRaw(RequestText("PUT", "/bucket/key", expect));
  EXPECT_EQ(client().ReadReply().status, 100);
  client().SendRaw("hello");
  EXPECT_EQ(client().ReadReply().status, 200);
  EXPECT_EQ(Get("/bucket/key").body, "hello");
  // Refused before the body: no 100, and the connection ends, since the body may or may not follow.
  client().SendRaw(RequestText("PUT", "/nobucket/key", expect));
  const Reply refused = client().ReadReply();
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.Header("connection"), "close");
  EXPECT_TRUE(client().WaitForClose());
  NewConnection();
  HeaderList huge = {{"Expect", "100-continue"}, {"Content-Length", "5368709121"}};
  client().SendRaw(RequestText("PUT", "/bucket/key", huge));
  const Reply too_large = client().ReadReply();
  EXPECT_EQ(too_large.status, 400);
  EXPECT_EQ(too_large.Code(), "EntityTooLarge");
}

TEST_F(BodyTest, ARefusedBodyIsReadOverAndTheConnectionGoesOn) {
  client().SendRaw(RequestText("PUT", "/nobucket/key", {}, Pattern(300000)));
  client().SendRaw(RequestText("PUT", "/bucket/key", {}, "next"));
  EXPECT_EQ(client().ReadReply().status, 404);
  EXPECT_EQ(client().ReadReply().status, 200);
  EXPECT_EQ(Get("/bucket/key").body, "next");
}

TEST_F(BodyTest, AnXmlBodyBeyondItsLimitIsRefused) {
  const std::string document(2 * 1024 * 1024 + 1, ' ');
  const Reply reply = Send("POST", "/bucket?delete",
                           {{"Content-MD5", ToBase64(Raw(DigestKind::kMd5, document))}}, document);
  EXPECT_EQ(reply.Code(), "MaxMessageLengthExceeded");
}

}  // namespace
}  // namespace amphora::test
