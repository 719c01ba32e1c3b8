// Who may come in without a key: nobody through a browser's back door.
#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

using GateTest = S3Test;

TEST_F(GateTest, OnlyAddressesLocalhostAndOwnDomainsAreAnswered) {
  Restart({.domains = {"store.example"}, .default_owner = "tester"});
  for (const char* host : {"127.0.0.1", "127.0.0.1:9878", "[::1]:9878", "localhost", "LocalHost:1",
                           "store.example", "bucket.store.example:80", "192.168.1.4"}) {
    EXPECT_EQ(Send("HEAD", "/", {{"Host", host}}).status == 403, false) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "evilstore.example",
                           "127.0.0.1.evil.example", ""}) {
    EXPECT_EQ(Get("/bucket", {{"Host", host}}).status, 403) << host;
    EXPECT_EQ(Put("/bucket/key", "x", {{"Host", host}}).status, 403) << host;
    EXPECT_EQ(Get("/-/metrics", {{"Host", host}}).status, 403) << host;
  }
  EXPECT_EQ(Get("/bucket/key").status, 404);
}

TEST_F(GateTest, WritesOnBehalfOfAnotherSiteAreRefused) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  for (const char* site : {"cross-site", "same-site", "anything"}) {
    const HeaderList headers = {{"Sec-Fetch-Site", site}};
    EXPECT_EQ(Put("/bucket/key", "y", headers).status, 403) << site;
    EXPECT_EQ(Send("DELETE", "/bucket/key", headers).status, 403) << site;
    EXPECT_EQ(Send("POST", "/bucket?delete", headers).status, 403) << site;
    EXPECT_EQ(Get("/bucket/key", headers).status, 200) << site;
  }
  EXPECT_EQ(Put("/bucket/key", "y", {{"Origin", "http://evil.example"}}).status, 403);
  EXPECT_EQ(Put("/bucket/key", "y", {{"Origin", "null"}}).status, 403);
  EXPECT_EQ(Get("/bucket/key").body, "x");
  EXPECT_EQ(Put("/bucket/key", "z", {{"Sec-Fetch-Site", "same-origin"}}).status, 200);
  EXPECT_EQ(Put("/bucket/key", "z", {{"Sec-Fetch-Site", "none"}}).status, 200);
  EXPECT_EQ(Put("/bucket/key", "z", {{"Origin", "http://127.0.0.1"}}).status, 200);
}

TEST_F(GateTest, AnyKeyOrNoneIsGoodInOpenMode) {
  const HeaderList signed_by_nobody = {
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=any/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, "
       "Signature=00"}};
  EXPECT_EQ(Put("/bucket/key", "x", signed_by_nobody).status, 200);
  EXPECT_EQ(Get("/bucket/key?X-Amz-Signature=00&X-Amz-Credential=any").body, "x");
}

}  // namespace
}  // namespace amphora::test
