// Keys mode: signatures decide, and each one's owner is who wrote.
#include <ctime>

#include "s3/uri.h"
#include "tests/s3/auth/support.h"
#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

namespace auth = amphora::s3::test;

class KeysTest : public S3Test {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(S3Test::SetUp());
    Restart({.auth = s3::AuthMode::kKeys});
    const fs::Caller alice{.uid = 1234, .gid = 1235, .origin = {}};
    const auto key = engine_->credentials().GetOrCreate(kAccessKey, alice, "alice");
    ASSERT_TRUE(key.ok());
    secret_ = key->secret;
  }

  auth::SignOptions Options() const {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
    return {.access_key = kAccessKey,
            .secret = secret_,
            .timestamp = text,
            .day = std::string(text).substr(0, 8)};
  }

  Reply SendSigned(auth::TestRequest request, std::string_view body,
                   const auth::SignOptions& options) {
    request.SetHeader("Host", "127.0.0.1");
    auth::SignByHeader(request, options);
    return Send(request.method, request.path + (request.query.empty() ? "" : "?" + request.query),
                request.headers, body);
  }
  Reply SendSigned(auth::TestRequest request, std::string_view body = {}) {
    return SendSigned(std::move(request), body, Options());
  }

  static constexpr const char* kAccessKey = "testuser/scm@EXAMPLE.COM:a+b";
  std::string secret_;
};

TEST_F(KeysTest, NobodyComesInWithoutAKey) {
  const std::string before = Dump();
  for (const auto& [method, target] :
       std::vector<std::pair<std::string, std::string>>{{"GET", "/"},
                                                        {"GET", "/bucket"},
                                                        {"PUT", "/bucket/key"},
                                                        {"DELETE", "/bucket"},
                                                        {"PUT", "/other"},
                                                        {"GET", "/nobucket/key"}}) {
    const Reply reply = Send(method, target);
    EXPECT_EQ(reply.status, 403) << method << target;
    EXPECT_EQ(reply.Code(), "AccessDenied") << method << target;
  }
  EXPECT_EQ(Dump(), before);
  EXPECT_EQ(Get("/-/healthy").status, 200);
}

TEST_F(KeysTest, ASignedWriteBelongsToItsKey) {
  const std::string content = "hello";
  const Reply put = SendSigned({.method = "PUT",
                                .path = "/bucket/key",
                                .headers = {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}},
                               content);
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(SendSigned({.path = "/bucket/key"}).body, content);
  const auto info = objects().Head(bucket_, "key");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->uid, 1234u);
  EXPECT_EQ(info->gid, 1235u);
}

TEST_F(KeysTest, ABodyOtherThanSignedIsRefused) {
  const auth::TestRequest request{
      .method = "PUT",
      .path = "/bucket/key",
      .headers = {{"x-amz-content-sha256", std::string(auth::kHashOfNothing)}}};
  EXPECT_EQ(SendSigned(request, "not nothing").Code(), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(SendSigned({.path = "/bucket/key"}).status, 404);
  EXPECT_EQ(SendSigned(request, "").status, 200);
}

TEST_F(KeysTest, BadSignaturesHaveTheirCodes) {
  auth::SignOptions wrong_secret = Options();
  wrong_secret.secret = "x";
  EXPECT_EQ(SendSigned({.path = "/bucket"}, "", wrong_secret).Code(), "SignatureDoesNotMatch");
  auth::SignOptions unknown = Options();
  unknown.access_key = "nobody";
  EXPECT_EQ(SendSigned({.path = "/bucket"}, "", unknown).Code(), "InvalidAccessKeyId");
  auth::SignOptions old = Options();
  old.timestamp = "20200101T000000Z";
  old.day = "20200101";
  const Reply skewed = SendSigned({.path = "/bucket"}, "", old);
  EXPECT_EQ(skewed.Code(), "RequestTimeTooSkewed");
  EXPECT_EQ(skewed.Xml("RequestTime"), "20200101T000000Z");
  EXPECT_EQ(skewed.Xml("ServerTime").size(), std::string("2020-01-01T00:00:00.000Z").size());
  EXPECT_GT(skewed.Xml("ServerTime"), "2020-01-02");
  EXPECT_EQ(skewed.Xml("MaxAllowedSkewMilliseconds"), "900000");
}

TEST_F(KeysTest, APresignedUrlLetsItsBearerIn) {
  ASSERT_TRUE(PutObject("a b", "x").ok());
  auth::TestRequest request{.path = "/bucket/a%20b", .headers = {{"Host", "127.0.0.1"}}};
  auth::SignOptions options = Options();
  options.access_key = s3::UriEncode(kAccessKey, s3::Slash::kEncode);
  auth::Presign(request, "600", options);
  EXPECT_EQ(Get(request.path + "?" + request.query).body, "x");
  EXPECT_EQ(Get("/bucket/other?" + request.query).Code(), "SignatureDoesNotMatch");
}

TEST_F(KeysTest, ARevokedKeyIsShutOutAtOnce) {
  ASSERT_EQ(SendSigned({.path = "/bucket"}).status, 200);
  ASSERT_TRUE(engine_->credentials().Revoke(kAccessKey).ok());
  EXPECT_EQ(SendSigned({.path = "/bucket"}).Code(), "InvalidAccessKeyId");
}

TEST_F(KeysTest, WhatIsNotBuiltSaysSoToAnybody) { EXPECT_EQ(Get("/bucket?acl").status, 501); }

}  // namespace
}  // namespace amphora::test
