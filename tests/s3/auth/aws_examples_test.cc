// The signed requests that AWS's documentation works through, number by number (Amazon S3 API
// reference: "Signature Calculations for the Authorization Header" and "Authenticating Requests:
// Using Query Parameters").
#include <gtest/gtest.h>

#include "tests/s3/auth/support.h"

namespace amphora::s3::test {
namespace {

std::string Authorization(std::string_view signed_headers, std::string_view signature) {
  return "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
         "SignedHeaders=" +
         std::string(signed_headers) + ",Signature=" + std::string(signature);
}

TestRequest GetObject() {
  return {
      .method = "GET",
      .path = "/test.txt",
      .headers = {{"Host", "examplebucket.s3.amazonaws.com"},
                  {"Authorization",
                   Authorization("host;range;x-amz-content-sha256;x-amz-date",
                                 "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb"
                                 "41")},
                  {"Range", "bytes=0-9"},
                  {"x-amz-content-sha256", std::string(kHashOfNothing)},
                  {"x-amz-date", "20130524T000000Z"}}};
}

TEST(AwsExamplesTest, GetObject) {
  const auto identity = Verify(GetObject());
  ASSERT_TRUE(identity.has_value()) << identity.error().Message();
  EXPECT_EQ(identity->access_key, kAwsKey);
  EXPECT_EQ(identity->owner, "alice");
  EXPECT_EQ(identity->uid, 1000u);
  EXPECT_EQ(identity->gid, 1001u);
  EXPECT_EQ(identity->payload.mode, PayloadMode::kHash);
  EXPECT_FALSE(identity->chunk_signing);
}

TEST(AwsExamplesTest, PutObject) {
  const TestRequest request{
      .method = "PUT",
      .path = "/test%24file.text",
      .headers = {
          {"Host", "examplebucket.s3.amazonaws.com"},
          {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
          {"Authorization",
           Authorization("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")},
          {"x-amz-date", "20130524T000000Z"},
          {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
          {"x-amz-content-sha256",
           "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"}}};
  const auto identity = Verify(request);
  ASSERT_TRUE(identity.has_value()) << identity.error().Message();
  EXPECT_EQ(identity->payload.sha256.size(), 32u);
}

TEST(AwsExamplesTest, PutObjectWithTheDollarUnescaped) {
  TestRequest request{.method = "PUT",
                      .path = "/test$file.text",
                      .headers = {{"Host", "examplebucket.s3.amazonaws.com"}}};
  SignByHeader(request, {.canonical_path = "/test%24file.text"});
  EXPECT_TRUE(Verify(request).has_value());
}

TEST(AwsExamplesTest, GetBucketLifecycle) {
  TestRequest request = GetObject();
  request.path = "/";
  request.query = "lifecycle";
  request.RemoveHeader("Range");
  request.SetHeader(
      "Authorization",
      Authorization("host;x-amz-content-sha256;x-amz-date",
                    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  EXPECT_TRUE(Verify(request).has_value());
}

TEST(AwsExamplesTest, ListObjects) {
  TestRequest request = GetObject();
  request.path = "/";
  request.query = "max-keys=2&prefix=J";
  request.RemoveHeader("Range");
  request.SetHeader(
      "Authorization",
      Authorization("host;x-amz-content-sha256;x-amz-date",
                    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
  EXPECT_TRUE(Verify(request).has_value());
  request.query = "prefix=J&max-keys=2";  // the order does not count
  EXPECT_TRUE(Verify(request).has_value());
  request.query = "prefix=J&max-keys=3";
  EXPECT_EQ(Verify(request).error().failure, AuthFailure::kSignatureMismatch);
}

TestRequest PresignedGet() {
  return {.method = "GET",
          .path = "/test.txt",
          .query =
              "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524"
              "%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
              "&X-Amz-SignedHeaders=host&X-Amz-Signature="
              "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
          .headers = {{"Host", "examplebucket.s3.amazonaws.com"}}};
}

TEST(AwsExamplesTest, PresignedGet) {
  const auto identity = Verify(PresignedGet());
  ASSERT_TRUE(identity.has_value()) << identity.error().Message();
  EXPECT_EQ(identity->payload.mode, PayloadMode::kUnsigned);
}

TEST(AwsExamplesTest, PresignedGetLivesForADay) {
  const auto lookup = OneKey(kAwsKey, kAwsSecret);
  EXPECT_TRUE(Verify(PresignedGet(), AwsExampleTime(86400), lookup).has_value());
  const auto expired = Verify(PresignedGet(), AwsExampleTime(86401), lookup);
  ASSERT_FALSE(expired.has_value());
  EXPECT_EQ(expired.error().failure, AuthFailure::kExpired);
  EXPECT_EQ(expired.error().Message(), "Request has expired");
  EXPECT_EQ(RowOf(expired.error().failure).code, "AccessDenied");
}

TEST(AwsExamplesTest, AnyChangedByteIsNoticed) {
  const TestRequest good = GetObject();
  for (std::size_t header = 0; header < good.headers.size(); ++header) {
    for (std::size_t at = 0; at < good.headers[header].second.size(); ++at) {
      TestRequest bad = good;
      char& byte = bad.headers[header].second[at];
      byte = byte == '0' ? '1' : '0';
      EXPECT_FALSE(Verify(bad).has_value()) << bad.headers[header].second;
    }
  }
  for (std::size_t at = 0; at < good.path.size(); ++at) {
    TestRequest bad = good;
    bad.path[at] = 'z';
    EXPECT_FALSE(Verify(bad).has_value()) << bad.path;
  }
  TestRequest bad = good;
  bad.method = "HEAD";
  EXPECT_FALSE(Verify(bad).has_value());
}

}  // namespace
}  // namespace amphora::s3::test
