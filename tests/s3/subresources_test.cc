// Every sub-resource of AWS S3 on every method, on a bucket with objects: what is not built answers
// 501 and changes nothing, not even when the request without the sub-resource would.
#include "s3/uri.h"
#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

// Written here once more, from the request URIs of botocore's S3 model and AWS's older pages, so
// that a line lost from routes.def is missed.
constexpr const char* kSubresources[] = {
    "abac", "accelerate", "acl", "analytics", "annotation", "append", "attributes", "cors",
    "encryption", "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "logging",
    "metadataAnnotationTable", "metadataConfiguration", "metadataInventoryTable",
    "metadataJournalTable", "metadataTable", "metrics", "notification", "object-lock",
    "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "renameObject",
    "replication", "requestPayment", "restore", "retention", "select", "session", "tagging",
    "torrent", "uploads", "versioning", "versions", "website", "location", "delete",
    // with the parameters that operations put beside them
    "select&select-type=2", "analytics&id=1", "inventory&id=1", "metrics&id=1",
    "intelligent-tiering&id=1", "uploadId=1", "uploadId=1&partNumber=1", "partNumber=1",
    "versionId=1", "versionId=null", "tagging&versionId=1", "acl&x-id=PutObjectAcl",
    "annotation&annotationName=a", "annotation&list-type=2",
    // written otherwise
    "acl=", "acl=1", "%61cl", "prefix=a&acl", "acl&acl", "acl&tagging", "location&acl",
    "delete&acl"};

constexpr const char* kMethods[] = {"GET", "HEAD", "PUT", "POST", "DELETE"};
constexpr const char* kTargets[] = {
    "/", "/bucket", "/bucket/", "/bucket/key", "/bucket/dir/key", "/new-bucket", "/bucket/new-key"};

class SubresourcesTest : public S3Test {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(S3Test::SetUp());
    for (const char* key : {"key", "dir/key", "dir/", "large"}) {
      ASSERT_TRUE(PutObject(key, std::string(key) == "large" ? Pattern(100000) : "x").ok());
    }
    before_ = Dump();
  }

  std::string before_;
};

bool IsBuilt(const std::string& method, const std::string& target, const std::string& query) {
  const bool bucket = target == "/bucket" || target == "/bucket/" || target == "/new-bucket";
  const bool object =
      target == "/bucket/key" || target == "/bucket/dir/key" || target == "/bucket/new-key";
  if (bucket) {
    return (method == "GET" && (query == "location" || query == "uploads")) ||
           (method == "POST" && query == "delete");
  }
  if (!object) return false;
  return (method == "POST" && (query == "uploads" || query == "uploadId=1")) ||
         (method == "PUT" && query == "uploadId=1&partNumber=1") ||
         ((method == "GET" || method == "DELETE") && query == "uploadId=1") ||
         (method == "GET" && (query == "tagging" || query == "attributes")) ||
         ((method == "GET" || method == "HEAD") && query == "partNumber=1");
}

TEST_F(SubresourcesTest, WhatIsNotBuiltAnswers501AndChangesNothing) {
  for (const char* method : kMethods) {
    for (const char* target : kTargets) {
      for (const char* query : kSubresources) {
        if (IsBuilt(method, target, query)) continue;
        const std::string full = std::string(target) + "?" + query;
        const Reply reply = Send(method, full, {}, std::string(method) == "PUT" ? "<a/>" : "");
        EXPECT_EQ(reply.status, 501) << method << " " << full;
        if (std::string(method) != "HEAD") {
          EXPECT_EQ(reply.Code(), "NotImplemented") << method << " " << full;
        }
      }
    }
  }
  EXPECT_EQ(Dump(), before_);
}

TEST_F(SubresourcesTest, UnknownQueryNamesAreIgnoredByReadsAndRefusedByWrites) {
  for (const char* query : {"unknown", "ACL", "foo=bar", "prefix=x", "Acl=1", "expires=1"}) {
    EXPECT_EQ(Get("/bucket/key?" + std::string(query)).body, "x") << query;
    EXPECT_EQ(Send("HEAD", "/bucket?" + std::string(query)).status, 200) << query;
    for (const char* method : {"PUT", "POST", "DELETE"}) {
      for (const char* target : {"/bucket", "/bucket/key", "/new-bucket"}) {
        EXPECT_EQ(Send(method, std::string(target) + "?" + query).status, 501)
            << method << target << query;
      }
    }
  }
  EXPECT_EQ(Dump(), before_);
}

TEST_F(SubresourcesTest, ParametersOfSignaturesAndSdksPass) {
  EXPECT_EQ(Put("/bucket/new?x-id=PutObject", "y").status, 200);
  EXPECT_EQ(Put("/bucket/new?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1&X-Amz-Expires=1"
                "&X-Amz-SignedHeaders=host&X-Amz-Signature=1&X-Amz-Credential=1&X-Amz-User-Agent=a",
                "z")
                .status,
            200);
  EXPECT_EQ(Send("DELETE", "/bucket/new?x-id=DeleteObject").status, 204);
}

TEST_F(SubresourcesTest, HeadersThatAskForWhatIsNotBuiltAnswer501) {
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"x-amz-copy-source-range", "bytes=0-1"},
      {"x-amz-rename-source", "/bucket/large"},
      {"x-amz-write-offset-bytes", "0"},
      {"x-amz-acl", "public-read"},
      {"x-amz-grant-read", "id=1"},
      {"x-amz-tagging", "a=b"},
      {"x-amz-server-side-encryption", "AES256"},
      {"x-amz-server-side-encryption-customer-key", "a"},
      {"x-amz-website-redirect-location", "/a"},
      {"x-amz-object-lock-mode", "GOVERNANCE"},
      {"x-amz-storage-class", "GLACIER"},
      {"x-amz-checksum-sha512", "a"},
      {"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  for (const auto& [name, value] : headers) {
    for (const char* target : {"/bucket/key", "/bucket/new-key"}) {
      const Reply reply = Put(target, "y", {{name, value}});
      EXPECT_EQ(reply.status, 501) << name;
      EXPECT_EQ(reply.Xml("Header"), name);
      const std::string query = name + "=" + s3::UriEncode(value, s3::Slash::kEncode);
      EXPECT_EQ(Put(std::string(target) + "?" + query, "y").status, 501) << name;
    }
  }
  for (const char* name :
       {"If-None-Match", "x-amz-if-match-size", "x-amz-if-match-last-modified-time"}) {
    EXPECT_EQ(Send("DELETE", "/bucket/key", {{name, "1"}}).status, 501) << name;
  }
  EXPECT_EQ(Put("/new-bucket", "", {{"x-amz-bucket-object-lock-enabled", "true"}}).status, 501);
  for (const char* name :
       {"If-Match", "If-None-Match", "x-amz-copy-source", "x-amz-copy-source-range"}) {
    EXPECT_EQ(Put("/new-bucket", "", {{name, "*"}}).status, 501) << name;
    EXPECT_EQ(Send("POST", "/bucket?delete", {{name, "*"}}).status, 501) << name;
  }
  EXPECT_EQ(Dump(), before_);
}

TEST_F(SubresourcesTest, HeadersThatAskForWhatIsAnywayAreFine) {
  EXPECT_EQ(Put("/bucket/key", "y", {{"x-amz-acl", "private"}, {"x-amz-storage-class", "STANDARD"}})
                .status,
            200);
  EXPECT_EQ(Put("/new-bucket", "",
                {{"x-amz-acl", "private"},
                 {"x-amz-object-ownership", "BucketOwnerEnforced"},
                 {"x-amz-bucket-object-lock-enabled", "false"}})
                .status,
            200);
}

TEST_F(SubresourcesTest, MethodsThatMeanNothingAre405) {
  for (const char* method : {"OPTIONS", "PATCH", "TRACE"}) {
    for (const char* target : {"/", "/bucket", "/bucket/key"}) {
      EXPECT_EQ(Send(method, target).status, 405) << method << target;
    }
  }
  EXPECT_EQ(Send("POST", "/bucket/key").status, 405);
  EXPECT_EQ(Send("DELETE", "/").status, 405);
  EXPECT_EQ(Put("/", "").status, 405);
  EXPECT_EQ(
      Send("POST", "/bucket", {{"Content-Type", "multipart/form-data; boundary=a"}}, "x").status,
      501);
  EXPECT_EQ(Dump(), before_);
}

}  // namespace
}  // namespace amphora::test
