// The parsers of copies and of multipart uploads by themselves.
#include <gtest/gtest.h>

#include "s3/checksum_names.h"
#include "s3/complete_document.h"
#include "s3/copy_source.h"
#include "s3/upload_request.h"
#include "tests/s3/support/digests.h"

namespace amphora::s3 {
namespace {

using fs::ChecksumType;
using fs::DigestKind;

TEST(CopySourceTest, ABucketAndAKeyInEitherForm) {
  const auto key = [](std::string_view text) {
    const auto source = ParseCopySource(text);
    return source && source->bucket == "bucket" ? source->key : "(refused)";
  };
  EXPECT_EQ(key("bucket/key"), "key");
  EXPECT_EQ(key("/bucket/key"), "key");
  EXPECT_EQ(key("bucket/a/b//c/"), "a/b//c/");
  EXPECT_EQ(key("bucket%2Fkey"), "key");
  EXPECT_EQ(key("bucket/a%20b+c%2Bd"), "a b+c+d");
  EXPECT_EQ(key("bucket//leading"), "/leading");
  EXPECT_EQ(key("bucket/%C3%A4"), "\xc3\xa4");
  EXPECT_EQ(key("bucket/\xc3\xa4"), "\xc3\xa4");
  EXPECT_EQ(key("bucket/q?x=1"), "q?x=1");
  EXPECT_EQ(key("bucket/%3FversionId=1"), "?versionId=1");
}

TEST(CopySourceTest, AnythingElseIsRefused) {
  for (const char* text : {"", "/", "bucket", "/bucket", "bucket/", "//key", "bucket/%zz",
                           "bucket/%4", "UPPER/key", "a/key"}) {
    const auto source = ParseCopySource(text);
    ASSERT_FALSE(source) << text;
    EXPECT_EQ(source.error().code, "InvalidArgument") << text;
  }
  for (const char* text :
       {"bucket/key?versionId=null", "bucket/key?versionId=3",
        "bucket/key?versionId=", "arn:aws:s3:us-east-1:1:accesspoint/name/object/key"}) {
    const auto source = ParseCopySource(text);
    ASSERT_FALSE(source) << text;
    EXPECT_EQ(source.error().code, "NotImplemented") << text;
  }
}

TEST(CopyRangeTest, BothEndsAreNamed) {
  const auto range = ParseCopyRange("bytes=5-9");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->offset, 5u);
  EXPECT_EQ(range->length, 5u);
  EXPECT_EQ(ParseCopyRange("bytes=0-0")->length, 1u);
  for (const char* text :
       {"", "bytes=", "0-8", "bytes=1-0", "bytes=-1-", "bytes=0--1", "bytes=0-1,3-4", "bytes=-",
        "bytes=-0", "bytes=1-", "bytes=-2", "Bytes=0-1", "bytes=0-1 ", "bytes=+0-1",
        "bytes=0-18446744073709551615", "bytes=0-18446744073709551616"}) {
    EXPECT_FALSE(ParseCopyRange(text)) << text;
  }
}

TEST(PartNumberTest, OneToTenThousand) {
  EXPECT_EQ(ParsePartNumber("1"), 1u);
  EXPECT_EQ(ParsePartNumber("10000"), 10000u);
  for (const char* text : {"", "0", "10001", "-1", "1.0", " 1", "1x", "99999999999999999999"}) {
    const auto number = ParsePartNumber(text);
    ASSERT_FALSE(number) << text;
    EXPECT_EQ(number.error().code, "InvalidArgument");
  }
}

TEST(ChecksumTypeTest, EachAlgorithmHasItsTypes) {
  for (const auto& [algorithm, header, element, kind] : test::AllChecksums()) {
    const bool sha = kind == DigestKind::kSha1 || kind == DigestKind::kSha256;
    EXPECT_EQ(MayHaveType(kind, ChecksumType::kFullObject), !sha) << algorithm;
    EXPECT_EQ(MayHaveType(kind, ChecksumType::kComposite), kind != DigestKind::kCrc64Nvme)
        << algorithm;
    EXPECT_EQ(KindOfAlgorithm(algorithm), kind);
    EXPECT_EQ(KindOfHeader(header), kind);
    EXPECT_EQ(KindOfElement(element), kind);
  }
  EXPECT_FALSE(KindOfAlgorithm("MD5"));
  EXPECT_FALSE(KindOfHeader("x-amz-checksum-mode"));
  EXPECT_FALSE(KindOfElement("ChecksumType"));
}

std::string Part(const std::string& inside) { return "<Part>" + inside + "</Part>"; }

Outcome<std::vector<ListedPart>> Read(const std::string& inside) {
  return ReadCompleteDocument("<CompleteMultipartUpload>" + inside + "</CompleteMultipartUpload>");
}

TEST(CompleteDocumentTest, PartsComeInTheOrderOfTheDocument) {
  const std::string crc = test::Base64Digest(DigestKind::kCrc32, "x");
  const auto parts = ReadCompleteDocument(
      "<?xml version=\"1.0\"?>\n"
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
      "  <Part><PartNumber>2</PartNumber><ETag>&quot;b&quot;</ETag></Part>\n"
      "  <Part><ETag>a</ETag><PartNumber>1</PartNumber><ChecksumCRC32>" +
      crc + "</ChecksumCRC32></Part>\n</CompleteMultipartUpload>");
  ASSERT_TRUE(parts) << parts.error().message;
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].number, 2u);
  EXPECT_EQ((*parts)[0].etag, "b");
  EXPECT_TRUE((*parts)[0].checksums.empty());
  EXPECT_EQ((*parts)[1].etag, "a");
  EXPECT_EQ((*parts)[1].checksums.at(DigestKind::kCrc32), test::RawDigest(DigestKind::kCrc32, "x"));
}

TEST(CompleteDocumentTest, WhatIsNoListOfPartsIsRefused) {
  const std::string number = "<PartNumber>1</PartNumber>";
  const std::string etag = "<ETag>a</ETag>";
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"", "InvalidRequest"},
      {Part(""), "MalformedXML"},
      {Part(number), "MalformedXML"},
      {Part(etag), "MalformedXML"},
      {Part(number + "<ETag></ETag>"), "MalformedXML"},
      {Part(number + number + etag), "MalformedXML"},
      {Part(number + etag + etag), "MalformedXML"},
      {Part(number + "<ETag><a/></ETag>"), "MalformedXML"},
      {Part(number + etag + "<Size>1</Size>"), "MalformedXML"},
      {"<Other/>", "MalformedXML"},
      {Part(etag + "<PartNumber>0</PartNumber>"), "InvalidArgument"},
      {Part(etag + "<PartNumber>10001</PartNumber>"), "InvalidArgument"},
      {Part(number + etag + "<ChecksumCRC32>AAA=</ChecksumCRC32>"), "InvalidRequest"},
      {Part(number + etag + "<ChecksumSHA512>AAAA</ChecksumSHA512>"), "NotImplemented"}};
  for (const auto& [inside, code] : refused) {
    const auto parts = Read(inside);
    ASSERT_FALSE(parts) << inside;
    EXPECT_EQ(parts.error().code, code) << inside;
  }
  EXPECT_EQ(ReadCompleteDocument("<Complete>").error().code, "MalformedXML");
  EXPECT_EQ(ReadCompleteDocument("").error().code, "MalformedXML");
}

TEST(CompleteDocumentTest, TenThousandPartsAreTheMost) {
  const std::string part = Part("<PartNumber>1</PartNumber><ETag>a</ETag>");
  std::string all;
  for (int i = 0; i < 10000; ++i) all += part;
  const auto most = Read(all);
  ASSERT_TRUE(most);
  EXPECT_EQ(most->size(), 10000u);
  EXPECT_EQ(Read(all + part).error().code, "MalformedXML");
}

}  // namespace
}  // namespace amphora::s3
