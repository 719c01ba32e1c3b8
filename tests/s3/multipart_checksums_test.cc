// Checksums of multipart uploads: of each part, and of the object by type.
#include "tests/s3/support/digests.h"
#include "tests/s3/support/uploads.h"

namespace amphora::test {
namespace {

using MultipartChecksumsTest = UploadTest;
using fs::DigestKind;

struct Case {
  NamedChecksum checksum;
  std::string type;
};

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const NamedChecksum& checksum : AllChecksums()) {
    const bool sha = checksum.kind == DigestKind::kSha1 || checksum.kind == DigestKind::kSha256;
    if (!sha) cases.push_back({checksum, "FULL_OBJECT"});
    if (checksum.kind != DigestKind::kCrc64Nvme) cases.push_back({checksum, "COMPOSITE"});
  }
  return cases;
}

std::string Element(const NamedChecksum& checksum, std::string_view content) {
  return "<" + checksum.element + ">" + Base64Digest(checksum.kind, content) + "</" +
         checksum.element + ">";
}

TEST_F(MultipartChecksumsTest, EachAlgorithmInEachOfItsTypes) {
  const std::string first = Pattern(kPart, 1);
  const std::string second = Pattern(1234, 2);
  for (const auto& [checksum, type] : AllCases()) {
    const std::string key = checksum.algorithm + type;
    const std::string id = Begin(
        key, {{"x-amz-checksum-algorithm", checksum.algorithm}, {"x-amz-checksum-type", type}});
    const Reply one =
        PutPart(key, id, 1, first, {{checksum.header, Base64Digest(checksum.kind, first)}});
    const Reply two = PutPart(key, id, 2, second);  // computed, though not sent
    EXPECT_EQ(one.Header(checksum.header), Base64Digest(checksum.kind, first));
    EXPECT_EQ(two.Header(checksum.header), Base64Digest(checksum.kind, second));
    const Reply listed = Get("/bucket/" + key + "?uploadId=" + id);
    EXPECT_EQ(listed.XmlAll(checksum.element).size(), 2u);
    EXPECT_EQ(listed.Xml("ChecksumAlgorithm"), checksum.algorithm);
    EXPECT_EQ(listed.Xml("ChecksumType"), type);

    std::string expected = Base64Digest(checksum.kind, first + second);
    if (type == "COMPOSITE") {
      expected = Base64Digest(checksum.kind,
                              RawDigest(checksum.kind, first) + RawDigest(checksum.kind, second)) +
                 "-2";
    }
    const std::string lines = Line(1, one.Header("etag"), Element(checksum, first)) +
                              Line(2, two.Header("etag"), Element(checksum, second));
    const Reply done =
        Complete(key, id, lines, {{checksum.header, expected}, {"x-amz-checksum-type", type}});
    ASSERT_EQ(done.status, 200) << key << done.body;
    EXPECT_EQ(done.Xml(checksum.element), expected) << key;
    EXPECT_EQ(done.Xml("ChecksumType"), type);
    const Reply head = Send("HEAD", "/bucket/" + key, {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(head.Header(checksum.header), expected) << key;
    EXPECT_EQ(head.Header("x-amz-checksum-type"), type) << key;
    EXPECT_FALSE(Send("HEAD", "/bucket/" + key).headers.contains(checksum.header));
  }
}

TEST_F(MultipartChecksumsTest, WhatDoesNotGoTogetherIsRefused) {
  const auto begin = [&](const HeaderList& headers) {
    return Send("POST", "/bucket/key?uploads", headers).Code();
  };
  EXPECT_EQ(begin({{"x-amz-checksum-algorithm", "CRC16"}}), "InvalidRequest");
  EXPECT_EQ(begin({{"x-amz-checksum-type", "COMPOSITE"}}), "InvalidRequest");
  EXPECT_EQ(begin({{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "HALF"}}),
            "InvalidRequest");
  for (const char* sha : {"SHA1", "SHA256"}) {
    EXPECT_EQ(begin({{"x-amz-checksum-algorithm", sha}, {"x-amz-checksum-type", "FULL_OBJECT"}}),
              "InvalidRequest");
  }
  EXPECT_EQ(
      begin({{"x-amz-checksum-algorithm", "CRC64NVME"}, {"x-amz-checksum-type", "COMPOSITE"}}),
      "InvalidRequest");
  EXPECT_TRUE(Get("/bucket?uploads").XmlAll("Upload").empty());
}

TEST_F(MultipartChecksumsTest, TheTypeIsCompositeUnlessTold) {
  for (const NamedChecksum& checksum : AllChecksums()) {
    const Reply begun =
        Send("POST", "/bucket/key?uploads", {{"x-amz-checksum-algorithm", checksum.algorithm}});
    EXPECT_EQ(begun.Header("x-amz-checksum-algorithm"), checksum.algorithm);
    EXPECT_EQ(begun.Header("x-amz-checksum-type"),
              checksum.kind == DigestKind::kCrc64Nvme ? "FULL_OBJECT" : "COMPOSITE");
  }
}

TEST_F(MultipartChecksumsTest, APartOfAnotherKindOrWithAnotherValueIsRefused) {
  const std::string id = Begin("key", {{"x-amz-checksum-algorithm", "SHA256"}});
  const auto put = [&](DigestKind kind, const std::string& header, const std::string& of) {
    return PutPart("key", id, 1, "part", {{header, Base64Digest(kind, of)}}).Code();
  };
  EXPECT_EQ(put(DigestKind::kCrc32, "x-amz-checksum-crc32", "part"), "InvalidRequest");
  EXPECT_EQ(put(DigestKind::kSha256, "x-amz-checksum-sha256", "other"), "BadDigest");
  EXPECT_TRUE(Get("/bucket/key?uploadId=" + id).XmlAll("Part").empty());
  EXPECT_EQ(put(DigestKind::kSha256, "x-amz-checksum-sha256", "part"), "");
  // Without a chosen kind any part may bring its own; it is checked, and not kept.
  const std::string free = Begin("free");
  EXPECT_EQ(PutPart("free", free, 1, "part",
                    {{"x-amz-checksum-sha1", Base64Digest(DigestKind::kSha1, "part")}})
                .Header("x-amz-checksum-sha1"),
            Base64Digest(DigestKind::kSha1, "part"));
  EXPECT_EQ(PutPart("free", free, 1, "part",
                    {{"x-amz-checksum-sha1", Base64Digest(DigestKind::kSha1, "other")}})
                .Code(),
            "BadDigest");
}

TEST_F(MultipartChecksumsTest, CompleteChecksWhatItIsTold) {
  const NamedChecksum& crc = AllChecksums()[1];
  const std::string id = Begin("key", {{"x-amz-checksum-algorithm", "CRC32C"}});
  const std::string etag = PutPart("key", id, 1, "part").Header("etag");
  const auto code = [&](const std::string& line, const HeaderList& headers = {}) {
    return Complete("key", id, line, headers).Code();
  };
  EXPECT_EQ(code(Line(1, etag)), "InvalidRequest");  // the part's checksum is missing
  EXPECT_EQ(code(Line(1, etag, Element(crc, "other"))), "InvalidPart");
  EXPECT_EQ(code(Line(1, etag, Element(AllChecksums()[0], "part"))), "InvalidPart");
  const std::string line = Line(1, etag, Element(crc, "part"));
  const std::string wrong = Base64Digest(crc.kind, "other");
  EXPECT_EQ(code(line, {{crc.header, wrong + "-1"}}), "BadDigest");
  EXPECT_EQ(code(line, {{crc.header, wrong}}), "BadDigest");
  EXPECT_EQ(code(line, {{crc.header, "AAAA"}}), "InvalidRequest");
  EXPECT_EQ(code(line, {{"x-amz-checksum-sha1", Base64Digest(DigestKind::kSha1, "part")}}),
            "InvalidRequest");
  EXPECT_EQ(code(line, {{"x-amz-checksum-type", "FULL_OBJECT"}}), "InvalidRequest");
  EXPECT_EQ(Get("/bucket/key").status, 404);
  const std::string right = Base64Digest(crc.kind, RawDigest(crc.kind, "part")) + "-1";
  EXPECT_EQ(code(line, {{crc.header, right}, {"x-amz-checksum-type", "COMPOSITE"}}), "");
  EXPECT_EQ(Get("/bucket/key").body, "part");
}

}  // namespace
}  // namespace amphora::test
