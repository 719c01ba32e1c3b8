// Multipart uploads over the wire: what comes out of them, and what is refused.
#include "tests/s3/support/digests.h"
#include "tests/s3/support/uploads.h"

namespace amphora::test {
namespace {

using MultipartTest = UploadTest;
using fs::DigestKind;

TEST_F(MultipartTest, TheObjectIsItsPartsInOrder) {
  const std::string id = Begin("dir/key", {{"Content-Type", "text/x-odd"}, {"x-amz-meta-a", "b"}});
  const std::vector<std::string> contents = {Pattern(kPart, 1), Pattern(kPart, 2), Pattern(77, 3)};
  std::string lines;
  std::vector<std::string> etags(3);
  for (const int number : {3, 1, 2}) {
    etags[number - 1] = PutPart("dir/key", id, number, contents[number - 1]).Header("etag");
  }
  for (int number = 1; number <= 3; ++number) lines += Line(number, etags[number - 1]);
  EXPECT_EQ(Get("/bucket/dir/key").status, 404);
  const Reply done = Complete("dir/key", id, lines);
  ASSERT_EQ(done.status, 200) << done.body;
  std::string md5s;
  for (const std::string& content : contents) md5s += RawDigest(DigestKind::kMd5, content);
  const std::string etag = ToHex(RawDigest(DigestKind::kMd5, md5s)) + "-3";
  EXPECT_EQ(done.Xml("ETag"), "&quot;" + etag + "&quot;");
  EXPECT_EQ(done.Xml("Key"), "dir/key");
  const std::string whole = contents[0] + contents[1] + contents[2];
  EXPECT_EQ(done.Xml("ChecksumCRC64NVME"), Base64Digest(DigestKind::kCrc64Nvme, whole));
  EXPECT_EQ(done.Xml("ChecksumType"), "FULL_OBJECT");
  const Reply got = Get("/bucket/dir/key");
  EXPECT_TRUE(got.body == whole);
  EXPECT_EQ(got.Header("etag"), "\"" + etag + "\"");
  EXPECT_EQ(got.Header("content-type"), "text/x-odd");
  EXPECT_EQ(got.Header("x-amz-meta-a"), "b");
  const Reply middle = Get("/bucket/dir/key", {{"Range", "bytes=5242870-5242889"}});
  EXPECT_EQ(middle.body, whole.substr(5242870, 20));
}

TEST_F(MultipartTest, APartIsReadByItsNumber) {
  const std::string id = Begin("key");
  const std::vector<std::string> contents = {Pattern(kPart, 1), Pattern(kPart, 2),
                                             Pattern(kPart + 9, 3), "end"};
  ASSERT_EQ(Complete("key", id, PutParts("key", id, contents)).status, 200);
  ASSERT_EQ(Put("/bucket/copy", "", {{"x-amz-copy-source", "bucket/key"}}).status, 200);
  for (const std::string key : {"key", "copy"}) {
    std::size_t offset = 0;
    for (std::size_t i = 0; i < contents.size(); ++i) {
      const std::string target = "/bucket/" + key + "?partNumber=" + std::to_string(i + 1);
      const Reply part = Get(target);
      ASSERT_EQ(part.status, 206) << target;
      EXPECT_TRUE(part.body == contents[i]) << target;
      EXPECT_EQ(part.Header("x-amz-mp-parts-count"), "4");
      EXPECT_EQ(part.Header("content-range"), "bytes " + std::to_string(offset) + "-" +
                                                  std::to_string(offset + contents[i].size() - 1) +
                                                  "/15728652");
      EXPECT_EQ(Send("HEAD", target).Header("content-length"), std::to_string(contents[i].size()));
      offset += contents[i].size();
    }
    const Reply none = Get("/bucket/" + key + "?partNumber=5");
    EXPECT_EQ(none.status, 416);
    EXPECT_EQ(none.Code(), "InvalidPartNumber");
    EXPECT_EQ(none.Xml("ActualPartCount"), "4");
  }
  EXPECT_EQ(Get("/bucket/key?partNumber=0").Code(), "InvalidArgument");
  EXPECT_EQ(Get("/bucket/key?partNumber=1", {{"Range", "bytes=0-1"}}).Code(), "InvalidRequest");
  EXPECT_FALSE(Get("/bucket/key").headers.contains("x-amz-mp-parts-count"));
}

TEST_F(MultipartTest, OfAnObjectWithoutPartsTheFirstIsTheWhole) {
  ASSERT_EQ(Put("/bucket/key", "0123456789").status, 200);
  const Reply part = Get("/bucket/key?partNumber=1", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "0123456789");
  EXPECT_EQ(part.Header("content-range"), "bytes 0-9/10");
  EXPECT_TRUE(part.headers.contains("x-amz-checksum-crc64nvme"));
  EXPECT_FALSE(part.headers.contains("x-amz-mp-parts-count"));
  EXPECT_EQ(Get("/bucket/key?partNumber=2").Code(), "InvalidPartNumber");
  ASSERT_EQ(Put("/bucket/empty", "").status, 200);
  EXPECT_EQ(Get("/bucket/empty?partNumber=1").status, 200);
  // What the mount writes has no parts any more.
  const std::string id = Begin("large");
  const std::string lines = PutParts("large", id, {Pattern(kPart), "end"});
  ASSERT_EQ(Complete("large", id, lines).status, 200);
  WriteFile(root_, "large", "by the mount");
  EXPECT_EQ(Get("/bucket/large?partNumber=1").body, "by the mount");
  EXPECT_EQ(Get("/bucket/large?partNumber=2").Code(), "InvalidPartNumber");
}

TEST_F(MultipartTest, AttributesTellWhatIsAskedFor) {
  const std::string id = Begin("key", {{"x-amz-checksum-algorithm", "SHA256"}});
  const std::string sha = Base64Digest(DigestKind::kSha256, "part");
  const std::string etag = PutPart("key", id, 1, "part").Header("etag");
  ASSERT_EQ(
      Complete("key", id, Line(1, etag, "<ChecksumSHA256>" + sha + "</ChecksumSHA256>")).status,
      200);
  const Reply all = Get("/bucket/key?attributes",
                        {{"x-amz-object-attributes", "ETag,Checksum, ObjectParts,StorageClass"},
                         {"x-amz-object-attributes", "ObjectSize"}});
  ASSERT_EQ(all.status, 200) << all.body;
  EXPECT_EQ(all.Xml("ETag").substr(32), "-1");
  EXPECT_EQ(all.Xml("ChecksumType"), "COMPOSITE");
  EXPECT_EQ(all.Xml("ChecksumSHA256"),
            Base64Digest(DigestKind::kSha256, RawDigest(DigestKind::kSha256, "part")));
  EXPECT_EQ(all.Xml("PartsCount"), "1");
  EXPECT_EQ(all.Xml("ObjectSize"), "4");
  EXPECT_EQ(all.Xml("StorageClass"), "STANDARD");
  EXPECT_FALSE(all.Header("last-modified").empty());
  const Reply size = Get("/bucket/key?attributes", {{"x-amz-object-attributes", "ObjectSize"}});
  EXPECT_TRUE(size.XmlAll("ETag").empty());
  for (const char* wrong : {"", "Colour", "ETag,Colour"}) {
    EXPECT_EQ(Get("/bucket/key?attributes", {{"x-amz-object-attributes", wrong}}).Code(),
              "InvalidArgument");
  }
  EXPECT_EQ(Get("/bucket/key?attributes").Code(), "InvalidArgument");
  EXPECT_EQ(Get("/bucket/none?attributes", {{"x-amz-object-attributes", "ETag"}}).Code(),
            "NoSuchKey");
}

// The parts of an object whose checksum is made of theirs: each by itself, and listed in pages.
TEST_F(MultipartTest, PartsOfACompositeObjectHaveTheirChecksums) {
  const std::vector<std::string> contents = {Pattern(kPart), Pattern(kPart), "end"};
  const std::string id = Begin("key", {{"x-amz-checksum-algorithm", "SHA256"}});
  std::string lines;
  std::vector<std::string> checksums;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const int number = static_cast<int>(i + 1);
    checksums.push_back(Base64Digest(DigestKind::kSha256, contents[i]));
    lines += Line(number, PutPart("key", id, number, contents[i]).Header("etag"),
                  "<ChecksumSHA256>" + checksums.back() + "</ChecksumSHA256>");
  }
  ASSERT_EQ(Complete("key", id, lines).status, 200);
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const std::string target = "/bucket/key?partNumber=" + std::to_string(i + 1);
    for (const char* method : {"GET", "HEAD"}) {
      const Reply part = Send(method, target, {{"x-amz-checksum-mode", "ENABLED"}});
      EXPECT_EQ(part.status, 206);
      EXPECT_EQ(part.Header("x-amz-checksum-sha256"), checksums[i]) << method << i;
      EXPECT_EQ(part.Header("x-amz-checksum-type"), "COMPOSITE");
      EXPECT_EQ(part.Header("x-amz-mp-parts-count"), "3");
    }
    EXPECT_FALSE(Get(target).headers.contains("x-amz-checksum-sha256")) << "not asked for";
  }
  const auto page = [&](const std::string& after, const std::string& most) {
    return Get("/bucket/key?attributes", {{"x-amz-object-attributes", "ObjectParts"},
                                          {"x-amz-part-number-marker", after},
                                          {"x-amz-max-parts", most}});
  };
  const Reply all = Get("/bucket/key?attributes", {{"x-amz-object-attributes", "ObjectParts"}});
  EXPECT_EQ(all.XmlAll("PartNumber"), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(all.XmlAll("ChecksumSHA256"), checksums);
  EXPECT_EQ(all.XmlAll("Size"), (std::vector<std::string>{"5242880", "5242880", "3"}));
  EXPECT_EQ(all.Xml("IsTruncated"), "false");
  EXPECT_EQ(all.Xml("MaxParts"), "1000");
  const Reply first = page("0", "2");
  EXPECT_EQ(first.XmlAll("PartNumber"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(first.Xml("IsTruncated"), "true");
  EXPECT_EQ(first.Xml("NextPartNumberMarker"), "2");
  EXPECT_EQ(first.Xml("PartsCount"), "3");
  const Reply second = page("2", "2");
  EXPECT_EQ(second.XmlAll("PartNumber"), std::vector<std::string>{"3"});
  EXPECT_EQ(second.Xml("IsTruncated"), "false");
  EXPECT_TRUE(page("3", "2").XmlAll("PartNumber").empty());
  EXPECT_TRUE(page("10000", "1000").XmlAll("PartNumber").empty());
  EXPECT_EQ(page("x", "2").Code(), "InvalidArgument");
  EXPECT_EQ(page("0", "-1").Code(), "InvalidArgument");
}

TEST_F(MultipartTest, CompleteIsTheSameWhenItComesAgainAlthoughTheKeyWasOverwritten) {
  const std::string id = Begin("key");
  const std::string lines = PutParts("key", id, {Pattern(kPart), "end"});
  const Reply first = Complete("key", id, lines);
  ASSERT_EQ(first.status, 200);
  ASSERT_EQ(Put("/bucket/key", "another").status, 200);
  const Reply again = Complete("key", id, lines);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.Xml("ETag"), first.Xml("ETag"));
  EXPECT_EQ(again.Xml("ChecksumCRC64NVME"), first.Xml("ChecksumCRC64NVME"));
  EXPECT_EQ(Get("/bucket/key").body, "another");
}

TEST_F(MultipartTest, CompleteIsTheSameWhenItComesAgain) {
  const std::string id = Begin("key");
  const std::string lines = PutParts("key", id, {Pattern(kPart), "end"});
  const Reply first = Complete("key", id, lines, {{"If-None-Match", "*"}});
  ASSERT_EQ(first.status, 200) << first.body;
  for (int round = 0; round < 2; ++round) {
    const Reply again = Complete("key", id, lines, {{"If-None-Match", "*"}});
    EXPECT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(again.Xml("ETag"), first.Xml("ETag"));
  }
}

TEST_F(MultipartTest, APartThatComesAgainReplacesItself) {
  const std::string id = Begin("key");
  const std::string old = PutPart("key", id, 1, Pattern(kPart, 1)).Header("etag");
  const std::string fresh = PutPart("key", id, 1, Pattern(kPart + 1, 2)).Header("etag");
  const Reply gone = Complete("key", id, Line(1, old));
  EXPECT_EQ(gone.Code(), "InvalidPart");
  EXPECT_EQ(gone.Xml("UploadId"), id);
  EXPECT_EQ(Complete("key", id, Line(1, fresh)).status, 200);
  EXPECT_TRUE(Get("/bucket/key").body == Pattern(kPart + 1, 2));
}

TEST_F(MultipartTest, OnlyListedPartsAreInTheObject) {
  const std::string id = Begin("key");
  std::string lines = PutParts("key", id, {Pattern(kPart, 1), Pattern(kPart, 2), "three"});
  const std::size_t second = lines.find("<Part>", 1);
  lines.erase(second, lines.find("<Part>", second + 1) - second);
  ASSERT_EQ(Complete("key", id, lines).status, 200);
  EXPECT_TRUE(Get("/bucket/key").body == Pattern(kPart, 1) + "three");
  EXPECT_EQ(Get("/bucket/key").Header("etag").find("-2\"") != std::string::npos, true);
}

TEST_F(MultipartTest, AbortLeavesNothing) {
  ASSERT_EQ(Put("/bucket/key", "old").status, 200);
  const std::string id = Begin("key");
  const std::string lines = PutParts("key", id, {Pattern(kPart), "end"});
  EXPECT_EQ(Send("DELETE", "/bucket/key?uploadId=" + id).status, 204);
  EXPECT_EQ(Send("DELETE", "/bucket/key?uploadId=" + id).Code(), "NoSuchUpload");
  EXPECT_EQ(PutPart("key", id, 1, "x").Code(), "NoSuchUpload");
  EXPECT_EQ(Complete("key", id, lines).Code(), "NoSuchUpload");
  EXPECT_EQ(Get("/bucket/key?uploadId=" + id).Code(), "NoSuchUpload");
  EXPECT_EQ(Get("/bucket/key").body, "old");
}

TEST_F(MultipartTest, WhatCannotBecomeAnObjectIsRefused) {
  const std::string id = Begin("key");
  const std::string one = PutPart("key", id, 1, Pattern(100)).Header("etag");
  const std::string two = PutPart("key", id, 2, Pattern(100)).Header("etag");
  const auto code = [&](const std::string& lines, const HeaderList& headers = {}) {
    return Complete("key", id, lines, headers).Code();
  };
  EXPECT_EQ(code(Line(1, one) + Line(2, two)), "EntityTooSmall");
  EXPECT_EQ(code(Line(2, two) + Line(1, one)), "InvalidPartOrder");
  EXPECT_EQ(code(Line(1, one) + Line(1, one)), "InvalidPartOrder");
  EXPECT_EQ(code(Line(3, one)), "InvalidPart");
  EXPECT_EQ(code(Line(1, "other")), "InvalidPart");
  EXPECT_EQ(code(""), "InvalidRequest");
  EXPECT_EQ(code("<Other/>"), "MalformedXML");
  EXPECT_EQ(code(Line(1, one), {{"x-amz-mp-object-size", "99"}}), "InvalidRequest");
  EXPECT_EQ(code(Line(1, one), {{"x-amz-mp-object-size", "x"}}), "InvalidRequest");
  EXPECT_EQ(code(Line(1, one), {{"If-Match", "\"other\""}}), "NoSuchKey");
  EXPECT_EQ(code(Line(1, one), {{"If-Match", "*"}}), "NotImplemented");
  EXPECT_EQ(Get("/bucket/key").status, 404);
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  const Reply lost = Complete("key", id, Line(1, one), {{"If-None-Match", "*"}});
  EXPECT_EQ(lost.status, 412);
  EXPECT_EQ(lost.Xml("Condition"), "If-None-Match");
  EXPECT_EQ(code(Line(1, one), {{"x-amz-mp-object-size", "100"}}), "");
  EXPECT_EQ(Get("/bucket/key").body, Pattern(100));
}

TEST_F(MultipartTest, AnUploadBelongsToItsKeyAndBucket) {
  const std::string id = Begin("key");
  EXPECT_EQ(PutPart("other", id, 1, "x").Code(), "NoSuchUpload");
  EXPECT_EQ(PutPart("key", "0", 1, "x").Code(), "NoSuchUpload");
  EXPECT_EQ(PutPart("key", std::string(4000, 'a'), 1, "x").Code(), "NoSuchUpload");
  EXPECT_EQ(PutPart("key", id + "&x-id=UploadPart", 1, "x").status, 200);
  EXPECT_EQ(Put("/nobucket/key?partNumber=1&uploadId=" + id, "x").Code(), "NoSuchBucket");
  for (const char* number : {"0", "10001", "-1", "x", ""}) {
    const Reply reply =
        Put("/bucket/key?partNumber=" + std::string(number) + "&uploadId=" + id, "x");
    EXPECT_EQ(reply.Code(), "InvalidArgument") << number;
    EXPECT_EQ(reply.Xml("ArgumentName"), "partNumber");
  }
  EXPECT_EQ(Put("/bucket/key?uploadId=" + id, "x").status, 501);
  EXPECT_EQ(Put("/bucket/key?partNumber=1", "x").status, 501);
  EXPECT_EQ(PutPart("key", id, 1, "x", {{"If-None-Match", "*"}}).status, 501);
  EXPECT_EQ(Send("POST", "/bucket/key?uploads", {{"If-None-Match", "*"}}).status, 501);
  EXPECT_EQ(Send("POST", "/bucket/key?uploads", {{"x-amz-acl", "public-read"}}).status, 501);
}

TEST_F(MultipartTest, ListPartsTellsThemPageByPage) {
  const std::string id = Begin("key");
  for (const int number : {7, 2, 10000}) {
    PutPart("key", id, number, Pattern(static_cast<std::size_t>(number)));
  }
  const Reply all = Get("/bucket/key?uploadId=" + id);
  ASSERT_EQ(all.status, 200) << all.body;
  EXPECT_EQ(all.XmlAll("PartNumber"), (std::vector<std::string>{"2", "7", "10000"}));
  EXPECT_EQ(all.XmlAll("Size"), (std::vector<std::string>{"2", "7", "10000"}));
  EXPECT_EQ(all.Xml("IsTruncated"), "false");
  EXPECT_EQ(all.Xml("UploadId"), id);
  EXPECT_TRUE(all.XmlAll("ChecksumCRC64NVME").empty());
  const Reply first = Get("/bucket/key?max-parts=2&uploadId=" + id);
  EXPECT_EQ(first.XmlAll("PartNumber"), (std::vector<std::string>{"2", "7"}));
  EXPECT_EQ(first.Xml("IsTruncated"), "true");
  EXPECT_EQ(first.Xml("NextPartNumberMarker"), "7");
  const Reply second = Get("/bucket/key?max-parts=2&part-number-marker=7&uploadId=" + id);
  EXPECT_EQ(second.XmlAll("PartNumber"), std::vector<std::string>{"10000"});
  EXPECT_EQ(second.Xml("IsTruncated"), "false");
  EXPECT_EQ(Get("/bucket/key?max-parts=x&uploadId=" + id).Code(), "InvalidArgument");
}

TEST_F(MultipartTest, ListMultipartUploadsTellsThemByKey) {
  const std::vector<std::string> keys = {"a/1", "a/2", "b", "c%0Ad", "c%20e"};
  std::vector<std::string> ids;
  for (const std::string& key : keys) ids.push_back(Begin(key));
  ids.push_back(Begin("c%20e"));
  const Reply all = Get("/bucket?uploads&prefix=a");
  EXPECT_EQ(all.XmlAll("UploadId"), (std::vector<std::string>{ids[0], ids[1]}));
  EXPECT_EQ(all.XmlAll("Key"), (std::vector<std::string>{"a/1", "a/2"}));
  const Reply folded = Get("/bucket?uploads&delimiter=%2F&encoding-type=url");
  EXPECT_EQ(folded.XmlAll("Key"), (std::vector<std::string>{"b", "c%0Ad", "c%20e", "c%20e"}));
  EXPECT_EQ(folded.XmlAll("CommonPrefixes").size(), 1u);
  std::vector<std::string> seen;
  std::string target = "/bucket?uploads&max-uploads=1&encoding-type=url";
  for (std::string markers;;) {
    const Reply page = Get(target + markers);
    for (const std::string& id : page.XmlAll("UploadId")) seen.push_back(id);
    if (page.Xml("IsTruncated") != "true" || seen.size() > ids.size()) break;
    markers = "&key-marker=" + page.Xml("NextKeyMarker") +
              "&upload-id-marker=" + page.Xml("NextUploadIdMarker");
  }
  EXPECT_EQ(seen, ids);
  EXPECT_EQ(Get("/bucket?uploads&max-uploads=-1").Code(), "InvalidArgument");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string& key = keys[std::min(i, keys.size() - 1)];
    EXPECT_EQ(Send("DELETE", "/bucket/" + key + "?uploadId=" + ids[i]).status, 204);
  }
  EXPECT_TRUE(Get("/bucket?uploads").XmlAll("Upload").empty());
}

}  // namespace
}  // namespace amphora::test
