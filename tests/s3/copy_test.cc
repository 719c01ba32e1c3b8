// CopyObject and UploadPartCopy over the wire.
#include "tests/s3/support/digests.h"
#include "tests/s3/support/uploads.h"

namespace amphora::test {
namespace {

using CopyTest = UploadTest;
using fs::DigestKind;

constexpr const char* kPast = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kFuture = "Fri, 01 Jan 2100 00:00:00 GMT";

HeaderList From(const std::string& source, HeaderList more = {}) {
  more.insert(more.begin(), {"x-amz-copy-source", source});
  return more;
}

TEST_F(CopyTest, ACopyHasTheBytesAndTheMetadataOfItsSource) {
  for (const std::size_t size : {0u, 10u, 20000u, 3000000u}) {
    const std::string content = Pattern(size);
    const Reply put = Put("/bucket/a%20b", content,
                          {{"Content-Type", "text/x-odd"}, {"x-amz-meta-colour", "red"}});
    for (const char* source : {"bucket/a%20b", "/bucket/a%20b"}) {
      const Reply copied = Put("/bucket/dir/copy", "", From(source, {{"Content-Type", "ignored"}}));
      ASSERT_EQ(copied.status, 200) << copied.body;
      EXPECT_NE(copied.body.find("<CopyObjectResult"), std::string::npos);
      EXPECT_EQ(copied.Xml("ETag"), "&quot;" + put.Header("etag").substr(1, 32) + "&quot;");
      EXPECT_EQ(copied.Xml("ChecksumCRC64NVME"), Base64Digest(DigestKind::kCrc64Nvme, content));
      EXPECT_FALSE(copied.Xml("LastModified").empty());
      const Reply got = Get("/bucket/dir/copy");
      EXPECT_TRUE(got.body == content) << size;
      EXPECT_EQ(got.Header("content-type"), "text/x-odd");
      EXPECT_EQ(got.Header("x-amz-meta-colour"), "red");
    }
  }
}

TEST_F(CopyTest, ACopyIsItsOwnObject) {
  const std::string content = Pattern(3000000);
  ASSERT_EQ(Put("/bucket/source", content).status, 200);
  ASSERT_EQ(Put("/bucket/copy", "", From("bucket/source")).status, 200);
  WriteFile(root_, "source", "by the mount");
  EXPECT_TRUE(Get("/bucket/copy").body == content);
  ASSERT_EQ(Put("/bucket/again", "", From("bucket/copy")).status, 200);
  ASSERT_EQ(Send("DELETE", "/bucket/copy").status, 204);
  EXPECT_TRUE(Get("/bucket/again").body == content);
}

TEST_F(CopyTest, ReplaceTakesTheMetadataOfTheRequest) {
  ASSERT_EQ(Put("/bucket/key", "x", {{"x-amz-meta-a", "1"}, {"Cache-Control", "no-store"}}).status,
            200);
  const HeaderList replace = {{"x-amz-metadata-directive", "REPLACE"},
                              {"x-amz-meta-b", "2"},
                              {"Content-Type", "text/x-odd"}};
  for (const char* target : {"/bucket/copy", "/bucket/key"}) {  // another key, and onto itself
    ASSERT_EQ(Put(target, "", From("bucket/key", replace)).status, 200);
    const Reply got = Get(target);
    EXPECT_EQ(got.body, "x");
    EXPECT_EQ(got.Header("x-amz-meta-b"), "2");
    EXPECT_EQ(got.Header("content-type"), "text/x-odd");
    EXPECT_FALSE(got.headers.contains("x-amz-meta-a"));
    EXPECT_FALSE(got.headers.contains("cache-control"));
  }
}

TEST_F(CopyTest, ACopyMayHaveAnotherChecksum) {
  const std::string content = Pattern(100000);
  ASSERT_EQ(Put("/bucket/key", content).status, 200);
  for (const NamedChecksum& checksum : AllChecksums()) {
    const HeaderList wish = {{"x-amz-checksum-algorithm", checksum.algorithm}};
    const Reply copied = Put("/bucket/copy", "", From("bucket/key", wish));
    EXPECT_EQ(copied.Xml(checksum.element), Base64Digest(checksum.kind, content)) << copied.body;
    EXPECT_EQ(
        Send("HEAD", "/bucket/copy", {{"x-amz-checksum-mode", "ENABLED"}}).Header(checksum.header),
        Base64Digest(checksum.kind, content));
  }
  EXPECT_EQ(
      Put("/bucket/copy", "", From("bucket/key", {{"x-amz-checksum-algorithm", "CRC16"}})).Code(),
      "InvalidRequest");
}

TEST_F(CopyTest, ConditionsOnTheSource) {
  const std::string etag = Put("/bucket/key", "x").Header("etag");
  const auto copy = [&](const HeaderList& conditions) {
    return Put("/bucket/copy", "", From("bucket/key", conditions));
  };
  const auto refused = [&](const HeaderList& conditions) {
    const Reply reply = copy(conditions);
    EXPECT_EQ(reply.status, 412) << conditions[0].first;
    EXPECT_EQ(reply.Code(), "PreconditionFailed");
    return reply.Xml("Condition");
  };
  EXPECT_EQ(copy({{"x-amz-copy-source-if-match", etag}}).status, 200);
  EXPECT_EQ(copy({{"x-amz-copy-source-if-none-match", "\"other\""}}).status, 200);
  EXPECT_EQ(copy({{"x-amz-copy-source-if-modified-since", kPast}}).status, 200);
  EXPECT_EQ(copy({{"x-amz-copy-source-if-unmodified-since", kFuture}}).status, 200);
  EXPECT_EQ(
      copy({{"x-amz-copy-source-if-match", etag}, {"x-amz-copy-source-if-unmodified-since", kPast}})
          .status,
      200);
  ASSERT_EQ(Send("DELETE", "/bucket/copy").status, 204);
  EXPECT_EQ(refused({{"x-amz-copy-source-if-match", "other"}}), "x-amz-copy-source-If-Match");
  EXPECT_EQ(refused({{"x-amz-copy-source-if-none-match", etag}}),
            "x-amz-copy-source-If-None-Match");
  EXPECT_EQ(refused({{"x-amz-copy-source-if-modified-since", kFuture}}),
            "x-amz-copy-source-If-Modified-Since");
  EXPECT_EQ(refused({{"x-amz-copy-source-if-unmodified-since", kPast}}),
            "x-amz-copy-source-If-Unmodified-Since");
  EXPECT_EQ(Get("/bucket/copy").status, 404);
}

TEST_F(CopyTest, ConditionsOnTheDestination) {
  const std::string source = Put("/bucket/key", "x").Header("etag");
  const std::string etag = Put("/bucket/copy", "old").Header("etag");
  const auto copy = [&](const std::string& target, const HeaderList& conditions) {
    return Put(target, "", From("bucket/key", conditions));
  };
  const Reply taken = copy("/bucket/copy", {{"If-None-Match", "*"}});
  EXPECT_EQ(taken.status, 412);
  EXPECT_EQ(taken.Xml("Condition"), "If-None-Match");
  EXPECT_EQ(copy("/bucket/copy", {{"If-Match", source}}).Xml("Condition"), "If-Match");
  const Reply none = copy("/bucket/none", {{"If-Match", etag}});
  EXPECT_EQ(none.Code(), "NoSuchKey");
  EXPECT_EQ(none.Xml("Key"), "none");
  EXPECT_EQ(copy("/bucket/copy", {{"If-Modified-Since", kPast}}).status, 501);
  EXPECT_EQ(Get("/bucket/copy").body, "old");
  EXPECT_EQ(copy("/bucket/copy", {{"If-Match", etag}}).status, 200);
  EXPECT_EQ(copy("/bucket/none", {{"If-None-Match", "*"}}).status, 200);
}

TEST_F(CopyTest, WhatCannotBeCopiedIsRefused) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  const std::string before = Dump();
  const auto copy = [&](const std::string& source, const HeaderList& more = {}) {
    return Put("/bucket/copy", "", From(source, more));
  };
  EXPECT_EQ(copy("bucket").Code(), "InvalidArgument");
  EXPECT_EQ(copy("").status, 400);
  EXPECT_EQ(copy("bucket/%zz").Code(), "InvalidArgument");
  EXPECT_EQ(copy("bucket/key?versionId=1").status, 501);
  EXPECT_EQ(copy("nobucket/key").Code(), "NoSuchBucket");
  EXPECT_EQ(copy("nobucket/key").Xml("BucketName"), "nobucket");
  const Reply none = copy("bucket/none");
  EXPECT_EQ(none.Code(), "NoSuchKey");
  EXPECT_EQ(none.Xml("Key"), "none");
  EXPECT_EQ(copy("bucket/key", {{"x-amz-metadata-directive", "MERGE"}}).Code(), "InvalidArgument");
  EXPECT_EQ(copy("bucket/key", {{"x-amz-tagging-directive", "REPLACE"}}).status, 501);
  EXPECT_EQ(copy("bucket/key", {{"x-amz-source-expected-bucket-owner", "nobody"}}).status, 403);
  EXPECT_EQ(Put("/bucket/key", "", From("bucket/key")).Code(), "InvalidRequest");
  EXPECT_EQ(Put("/bucket/copy", "body", From("bucket/key")).Code(), "InvalidRequest");
  EXPECT_EQ(Put("/nobucket/copy", "", From("bucket/key")).Code(), "NoSuchBucket");
  EXPECT_EQ(Put("/bucket/copy", "x", {{"x-amz-copy-source-if-match", "a"}}).status, 501);
  EXPECT_EQ(Dump(), before);
  EXPECT_EQ(copy("bucket/key", {{"x-amz-tagging-directive", "COPY"}}).status, 200);
}

TEST_F(CopyTest, AnObjectHasNoTags) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  const Reply tags = Get("/bucket/key?tagging");
  EXPECT_EQ(tags.status, 200);
  EXPECT_NE(tags.body.find("<TagSet/>"), std::string::npos) << tags.body;
  EXPECT_EQ(Get("/bucket/none?tagging").Code(), "NoSuchKey");
  EXPECT_EQ(Put("/bucket/key?tagging", "<Tagging/>").status, 501);
  EXPECT_EQ(Send("DELETE", "/bucket/key?tagging").status, 501);
}

TEST_F(CopyTest, PartsMayBeRunsOfOtherObjects) {
  const std::string content = Pattern(2 * kPart + 100);
  ASSERT_EQ(Put("/bucket/source", content).status, 200);
  ASSERT_EQ(Put("/bucket/small", "0123456789").status, 200);
  const std::string id = Begin("key");
  const auto copy = [&](int number, const std::string& source, const std::string& range) {
    HeaderList headers = From(source);
    if (!range.empty()) headers.emplace_back("x-amz-copy-source-range", range);
    return PutPart("key", id, number, "", headers);
  };
  std::string lines;
  const auto add = [&](int number, const Reply& reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    lines += Line(number, reply.Xml("ETag"));
  };
  add(1, copy(1, "bucket/source", "bytes=100-5243079"));
  add(2, copy(2, "/bucket/source", ""));
  add(3, PutPart("key", id, 3, content, {}).status == 200
             ? copy(3, "bucket/source", "bytes=0-5242979")
             : Reply{});
  add(4, copy(4, "bucket/small", "bytes=2-4"));
  const Reply done = Complete("key", id, lines);
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_TRUE(Get("/bucket/key").body ==
              content.substr(100, 5242980) + content + content.substr(0, 5242980) + "234");
}

TEST_F(CopyTest, APartThatCannotBeCopiedIsRefused) {
  ASSERT_EQ(Put("/bucket/small", "0123456789").status, 200);
  const std::string id = Begin("key");
  const auto code = [&](const std::string& source, const HeaderList& more) {
    return PutPart("key", id, 1, "", From(source, more)).Code();
  };
  for (const char* range : {"bytes=0-10", "bytes=10-20", "bytes=5-", "0-8", "bytes=-5", ""}) {
    EXPECT_EQ(code("bucket/small", {{"x-amz-copy-source-range", range}}), "InvalidArgument")
        << range;
  }
  EXPECT_EQ(code("bucket/none", {}), "NoSuchKey");
  EXPECT_EQ(code("bucket/small", {{"x-amz-copy-source-if-match", "other"}}), "PreconditionFailed");
  EXPECT_EQ(PutPart("key", "0", 1, "", From("bucket/small")).Code(), "NoSuchUpload");
  EXPECT_EQ(PutPart("key", id, 0, "", From("bucket/small")).Code(), "InvalidArgument");
  EXPECT_TRUE(Get("/bucket/key?uploadId=" + id).XmlAll("Part").empty());
}

TEST_F(CopyTest, ACopiedPartHasTheChecksumOfItsUpload) {
  ASSERT_EQ(Put("/bucket/small", "0123456789").status, 200);
  for (const char* type : {"FULL_OBJECT", "COMPOSITE"}) {
    const std::string id =
        Begin("key", {{"x-amz-checksum-algorithm", "CRC32C"}, {"x-amz-checksum-type", type}});
    const std::string crc = Base64Digest(DigestKind::kCrc32c, "0123456789");
    const Reply copied = PutPart("key", id, 1, "", From("bucket/small"));
    EXPECT_EQ(copied.Xml("ChecksumCRC32C"), crc) << copied.body;
    const std::string line =
        Line(1, copied.Xml("ETag"), "<ChecksumCRC32C>" + crc + "</ChecksumCRC32C>");
    EXPECT_EQ(Complete("key", id, line).Xml("ChecksumType"), type);
  }
}

}  // namespace
}  // namespace amphora::test
