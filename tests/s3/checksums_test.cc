// Checksums of PUT, GET and HEAD: which are taken, kept and shown. (Framing and digests that do not
// hold: body_test.cc)
#include "tests/s3/support/digests.h"
#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

using fs::DigestKind;

class ChecksumsTest : public S3Test {
 protected:
  // The headers of an answer that tell a checksum.
  static std::vector<std::string> Shown(const Reply& reply) {
    std::vector<std::string> names;
    for (const auto& [name, value] : reply.headers) {
      if (name.starts_with("x-amz-checksum-")) names.push_back(name);
    }
    return names;
  }

  Reply Ask(const char* method, const std::string& target, HeaderList headers = {}) {
    headers.emplace_back("x-amz-checksum-mode", "ENABLED");
    return Send(method, target, headers);
  }
};

TEST_F(ChecksumsTest, EachKindIsKeptAndShownToWhoAsks) {
  for (const NamedChecksum& checksum : AllChecksums()) {
    for (const std::size_t size : {0u, 9u, 100000u}) {
      const std::string content = Pattern(size);
      const std::string value = Base64Digest(checksum.kind, content);
      const Reply put = Put("/bucket/key", content, {{checksum.header, value}});
      ASSERT_EQ(put.status, 200) << checksum.algorithm << put.body;
      EXPECT_EQ(put.Header(checksum.header), value);
      EXPECT_EQ(put.Header("x-amz-checksum-type"), "FULL_OBJECT");
      for (const char* method : {"GET", "HEAD"}) {
        EXPECT_TRUE(Shown(Send(method, "/bucket/key")).empty());
        const Reply asked = Ask(method, "/bucket/key");
        EXPECT_EQ(asked.Header(checksum.header), value);
        EXPECT_EQ(asked.Header("x-amz-checksum-type"), "FULL_OBJECT");
        EXPECT_EQ(Shown(asked).size(), 2u);
      }
    }
    EXPECT_TRUE(Shown(Ask("GET", "/bucket/key", {{"Range", "bytes=0-1"}})).empty());
  }
}

TEST_F(ChecksumsTest, APutWithoutOneGetsCrc64Nvme) {
  const std::string content = Pattern(70000);
  const std::string value = Base64Digest(DigestKind::kCrc64Nvme, content);
  const Reply put = Put("/bucket/key", content);
  EXPECT_EQ(put.Header("x-amz-checksum-crc64nvme"), value);
  EXPECT_EQ(Ask("HEAD", "/bucket/key").Header("x-amz-checksum-crc64nvme"), value);
  // A Content-MD5 protects the body, but is no checksum to keep.
  const HeaderList md5 = {{"Content-MD5", Base64Digest(DigestKind::kMd5, content)}};
  EXPECT_EQ(Put("/bucket/key", content, md5).Header("x-amz-checksum-crc64nvme"), value);
}

TEST_F(ChecksumsTest, ContentThatTheMountWroteHasNone) {
  ASSERT_EQ(Put("/bucket/key", "by S3").status, 200);
  ASSERT_FALSE(Shown(Ask("HEAD", "/bucket/key")).empty());
  WriteFile(root_, "key", "by the mount");
  WriteFile(root_, "other", "by the mount");
  for (const char* target : {"/bucket/key", "/bucket/other"}) {
    const Reply got = Ask("GET", target);
    EXPECT_EQ(got.body, "by the mount");
    EXPECT_TRUE(Shown(got).empty()) << target;
  }
}

TEST_F(ChecksumsTest, AListingTellsTheAlgorithm) {
  ASSERT_EQ(Put("/bucket/a", "x").status, 200);
  ASSERT_EQ(
      Put("/bucket/b", "x", {{"x-amz-checksum-sha1", Base64Digest(DigestKind::kSha1, "x")}}).status,
      200);
  WriteFile(root_, "c", "by the mount");
  for (const char* target : {"/bucket", "/bucket?list-type=2"}) {
    const Reply page = Get(target);
    EXPECT_EQ(page.XmlAll("Key").size(), 3u);
    EXPECT_EQ(page.XmlAll("ChecksumAlgorithm"), (std::vector<std::string>{"CRC64NVME", "SHA1"}));
    EXPECT_EQ(page.XmlAll("ChecksumType"),
              (std::vector<std::string>{"FULL_OBJECT", "FULL_OBJECT"}));
  }
}

TEST_F(ChecksumsTest, WhatContradictsItselfIsRefused) {
  const std::string crc32 = Base64Digest(DigestKind::kCrc32, "x");
  const std::string sha1 = Base64Digest(DigestKind::kSha1, "x");
  const std::vector<HeaderList> refused = {
      {{"x-amz-checksum-crc32", crc32}, {"x-amz-checksum-sha1", sha1}},
      {{"x-amz-checksum-crc32", crc32}, {"x-amz-checksum-crc32", crc32}},
      {{"x-amz-checksum-crc32", sha1}},
      {{"x-amz-checksum-crc32", ""}},
      {{"x-amz-checksum-crc32", "not base64"}},
      {{"x-amz-sdk-checksum-algorithm", "CRC32"}},
      {{"x-amz-sdk-checksum-algorithm", "SHA1"}, {"x-amz-checksum-crc32", crc32}},
      {{"x-amz-sdk-checksum-algorithm", "CRC16"}, {"x-amz-checksum-crc32", crc32}}};
  for (const HeaderList& headers : refused) {
    const Reply reply = Put("/bucket/key", "x", headers);
    EXPECT_EQ(reply.status, 400) << headers[0].first << headers[0].second;
    EXPECT_EQ(reply.Code(), "InvalidRequest") << headers[0].first;
  }
  EXPECT_EQ(Get("/bucket/key").status, 404);
  EXPECT_EQ(Put("/bucket/key", "x",
                {{"x-amz-sdk-checksum-algorithm", "crc32"}, {"x-amz-checksum-crc32", crc32}})
                .status,
            200);
}

TEST_F(ChecksumsTest, ATrailerThatNobodyWouldCheckIsRefused) {
  const auto put = [&](const std::string& trailer) {
    return Put("/bucket/key", "1\r\nx\r\n0\r\n" + trailer + ":AAAA\r\n\r\n",
               {{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                {"x-amz-decoded-content-length", "1"},
                {"x-amz-trailer", trailer}});
  };
  EXPECT_EQ(put("x-amz-checksum-sha512").Code(), "NotImplemented");
  EXPECT_EQ(put("x-amz-meta-colour").Code(), "InvalidRequest");
  EXPECT_EQ(Get("/bucket/key").status, 404);
}

TEST_F(ChecksumsTest, ABadDigestNamesTheKind) {
  for (const NamedChecksum& checksum : AllChecksums()) {
    const Reply wrong =
        Put("/bucket/key", "x", {{checksum.header, Base64Digest(checksum.kind, "y")}});
    EXPECT_EQ(wrong.Code(), "BadDigest");
    EXPECT_NE(wrong.Xml("Message").find(checksum.algorithm), std::string::npos) << wrong.body;
  }
}

TEST_F(ChecksumsTest, TheModeOfAnAnswerIsNoChecksumOfADeletion) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  const std::string document = "<Delete><Object><Key>key</Key></Object></Delete>";
  const Reply unprotected =
      Send("POST", "/bucket?delete", {{"x-amz-checksum-mode", "ENABLED"}}, document);
  EXPECT_EQ(unprotected.Code(), "InvalidRequest");
  EXPECT_EQ(Get("/bucket/key").body, "x");
}

}  // namespace
}  // namespace amphora::test
