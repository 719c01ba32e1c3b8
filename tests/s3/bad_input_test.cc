// What nobody should send: the right error, nothing changed, the daemon alive.
#include <random>

#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

class BadInputTest : public S3Test {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(S3Test::SetUp());
    ASSERT_TRUE(PutObject("key", "content").ok());
    before_ = Dump();
  }
  void TearDown() override {
    if (server_) {
      ExpectAlive();
      EXPECT_EQ(Dump(), before_);
    }
    S3Test::TearDown();
  }
  Reply SendBytes(const std::string& bytes) {
    HttpClient fresh(server_->port());
    fresh.SendRaw(bytes);
    fresh.CloseSending();
    return fresh.ReadReply();
  }

  std::string before_;
};

TEST_F(BadInputTest, GarbageOnTheSocketIs400OrACut) {
  const std::string tls_hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  EXPECT_EQ(SendBytes(tls_hello + "\r\n\r\n").status, 400);
  EXPECT_EQ(SendBytes("\r\n\r\n\r\n\r\n").status, 400);
  EXPECT_EQ(SendBytes("GET / HTTP/9.9\r\n\r\n").status, 400);
  EXPECT_EQ(SendBytes("GET /\r\n\r\n").status, 400);
  EXPECT_EQ(SendBytes("GET / HTTP/1.1\r\nno colon\r\n\r\n").status, 400);
  EXPECT_EQ(SendBytes("GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n").status / 100, 4);
  EXPECT_EQ(SendBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status, 400);
  EXPECT_EQ(SendBytes("GET * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").Code(), "InvalidURI");
  EXPECT_EQ(SendBytes("").status, 0);
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string bytes(1 + random() % 4000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const int status = SendBytes(bytes).status;
    EXPECT_TRUE(status == 0 || status / 100 == 4) << status;
  }
}

TEST_F(BadInputTest, RequestsWithOneByteChangedNeverBreakTheServer) {
  const std::string good = RequestText("GET", "/bucket/key?list-type=2&prefix=%61",
                                       {{"Range", "bytes=1-2"}, {"If-None-Match", "\"a\""}});
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    std::string bytes = good;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    const int status = SendBytes(bytes).status;
    EXPECT_NE(status / 100, 5) << status << "\n" << bytes;
  }
}

TEST_F(BadInputTest, OversizedHeadersAndTargetsAreRefused) {
  const Reply uri = Get("/bucket/" + std::string(17000, 'k'));
  EXPECT_EQ(uri.status, 414);
  EXPECT_EQ(uri.Code(), "RequestURITooLong");
  const Reply headers = Get("/bucket", {{"x-amz-meta-a", std::string(17000, 'v')}});
  EXPECT_EQ(headers.status, 400);
  EXPECT_EQ(headers.Code(), "RequestHeaderSectionTooLarge");
  HeaderList many;
  for (int i = 0; i < 120; ++i) many.emplace_back("h" + std::to_string(i), "v");
  EXPECT_EQ(Get("/bucket", many).Code(), "RequestHeaderSectionTooLarge");
  EXPECT_EQ(SendBytes("GET / HTTP/1.1\r\nHost: " + std::string(200000, 'a')).Code(),
            "RequestHeaderSectionTooLarge");
  EXPECT_EQ(SendBytes("GET /" + std::string(200000, 'a')).status / 100, 4);
}

TEST_F(BadInputTest, AKeyBeyond1024BytesIsRefused) {
  const Reply reply = Put("/bucket/" + std::string(1025, 'k'), "x");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.Code(), "KeyTooLongError");
  // Encoded, the limit counts bytes and not escapes.
  std::string encoded;
  for (int i = 0; i < 513; ++i) encoded += "%C3%A4";
  EXPECT_EQ(Put("/bucket/" + encoded, "x").Code(), "KeyTooLongError");
}

TEST_F(BadInputTest, BrokenEscapesAndForeignBytesAreRefused) {
  for (const char* target : {"/bucket/%", "/bucket/%4", "/bucket/%zz", "/bucket/k?prefix=%g1",
                             "/buck%et/", "/bucket?%"}) {
    const Reply reply = Get(target);
    EXPECT_EQ(reply.status, 400) << target;
    EXPECT_EQ(reply.Code(), "InvalidURI") << target;
  }
  EXPECT_EQ(Put("/bucket/%ff%fe", "x").status, 400);
  EXPECT_EQ(Get("//key").Code(), "InvalidBucketName");
  std::string many = "/bucket?";
  for (int i = 0; i < 300; ++i) many += "a" + std::to_string(i) + "&";
  EXPECT_EQ(Get(many).status, 400);
}

TEST_F(BadInputTest, MalformedXmlIsRefused) {
  for (const std::string& document :
       {std::string("<"), std::string("not xml"), std::string("<CreateBucketConfiguration>"),
        std::string("<a>&undefined;</a>"), std::string(100000, '<'),
        std::string("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
        std::string("\0\0\0\0", 4)}) {
    const Reply reply = Put("/new-bucket", document);
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.Code(), "MalformedXML");
  }
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  EXPECT_EQ(Put("/new-bucket", deep).Code(), "MalformedXML");
  EXPECT_EQ(Send("HEAD", "/new-bucket").status, 404);
}

TEST_F(BadInputTest, BadChunkFramingStoresNothing) {
  const HeaderList headers = {{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                              {"x-amz-decoded-content-length", "5"}};
  for (const char* body :
       {"", "x", "5\r\nhello", "5\r\nhelloworld\r\n0\r\n\r\n", "6\r\nhello!\r\n0\r\n\r\n",
        "4\r\nhell\r\n0\r\n\r\n", "zz\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\nmore",
        "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"}) {
    const Reply reply = Put("/bucket/new", body, headers);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_FALSE(reply.Code().empty());
  }
  EXPECT_EQ(Put("/bucket/new", "5\r\nhello\r\n0\r\n\r\n", {headers[0]}).status / 100, 4);
  EXPECT_EQ(Get("/bucket/new").status, 404);
}

TEST_F(BadInputTest, NoSecretsReachTheAnswer) {
  const Reply reply = Get("/bucket/none?X-Amz-Signature=topsecret&X-Amz-Credential=a");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.body.find("topsecret"), std::string::npos);
}

}  // namespace
}  // namespace amphora::test
