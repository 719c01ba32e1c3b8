// Put, Get, Head and Delete of one object.
#include "fs/data/digests.h"
#include "meta/base/encoding.h"
#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

using ObjectTest = S3Test;

std::string Md5Hex(std::string_view text) {
  const fs::DigestKind kind = fs::DigestKind::kMd5;
  fs::DigestSet digests(std::span(&kind, 1));
  digests.Update(std::as_bytes(std::span(text)));
  return ToHex(digests.Finish()[kind]);
}

TEST_F(ObjectTest, GetGivesBackWhatPutStored) {
  // Empty, inline, around the inline limit, a blob, more than one piece.
  for (const std::size_t size : {0u, 1u, 4096u, 16383u, 16384u, 16385u, 65536u, 65537u, 3000000u}) {
    const std::string content = Pattern(size);
    const Reply put = Put("/bucket/key", content);
    ASSERT_EQ(put.status, 200) << size << put.body;
    EXPECT_EQ(put.Header("etag"), "\"" + Md5Hex(content) + "\"");
    const Reply got = Get("/bucket/key");
    ASSERT_EQ(got.status, 200) << size;
    EXPECT_EQ(got.body.size(), size);
    EXPECT_TRUE(got.body == content) << size;
    EXPECT_EQ(got.Header("etag"), put.Header("etag"));
    const Reply head = Send("HEAD", "/bucket/key");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.Header("content-length"), std::to_string(size));
    EXPECT_EQ(head.Header("etag"), put.Header("etag"));
  }
}

TEST_F(ObjectTest, EveryAnswerNamesItself) {
  for (const char* target : {"/", "/bucket", "/bucket/none", "/bucket?acl", "/none"}) {
    const Reply reply = Get(target);
    EXPECT_EQ(reply.Header("server"), "Amphora");
    EXPECT_EQ(reply.Header("x-amz-request-id").size(), 16u) << target;
    EXPECT_FALSE(reply.Header("x-amz-id-2").empty());
    EXPECT_FALSE(reply.Header("date").empty());
    if (reply.status >= 400) {
      EXPECT_EQ(reply.Xml("RequestId"), reply.Header("x-amz-request-id"));
      EXPECT_EQ(reply.Header("content-type"), "application/xml");
    }
  }
}

TEST_F(ObjectTest, MetadataAndStandardHeadersComeBack) {
  const HeaderList stored = {{"Content-Type", "text/plain; charset=utf-8"},
                             {"Content-Encoding", "gzip"},
                             {"Content-Language", "de"},
                             {"Content-Disposition", "attachment; filename=\"a b\""},
                             {"Cache-Control", "max-age=60"},
                             {"Expires", "Thu, 01 Dec 2033 16:00:00 GMT"},
                             {"X-Amz-Meta-Colour", "blue, green"},
                             {"x-amz-meta-empty", ""}};
  ASSERT_EQ(Put("/bucket/key", "x", stored).status, 200);
  for (const char* method : {"GET", "HEAD"}) {
    const Reply got = Send(method, "/bucket/key");
    EXPECT_EQ(got.Header("content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(got.Header("content-encoding"), "gzip");
    EXPECT_EQ(got.Header("content-language"), "de");
    EXPECT_EQ(got.Header("content-disposition"), "attachment; filename=\"a b\"");
    EXPECT_EQ(got.Header("cache-control"), "max-age=60");
    EXPECT_EQ(got.Header("expires"), "Thu, 01 Dec 2033 16:00:00 GMT");
    EXPECT_EQ(got.Header("x-amz-meta-colour"), "blue, green");
    EXPECT_TRUE(got.headers.contains("x-amz-meta-empty"));
    EXPECT_EQ(got.Header("accept-ranges"), "bytes");
    EXPECT_FALSE(got.Header("last-modified").empty());
  }
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  const Reply plain = Get("/bucket/key");
  EXPECT_EQ(plain.Header("content-type"), "binary/octet-stream");
  EXPECT_FALSE(plain.headers.contains("x-amz-meta-colour"));
  EXPECT_FALSE(plain.headers.contains("cache-control"));
}

TEST_F(ObjectTest, UserMetadataBeyondTwoKibibytesIsRefused) {
  const std::string fits(2048 - 1, 'v');
  EXPECT_EQ(Put("/bucket/key", "x", {{"x-amz-meta-k", fits}}).status, 200);
  const Reply refused = Put("/bucket/other", "x", {{"x-amz-meta-k", fits + "v"}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.Code(), "MetadataTooLarge");
  EXPECT_EQ(Get("/bucket/other").status, 404);
}

TEST_F(ObjectTest, ResponseParametersOverrideStoredHeaders) {
  ASSERT_EQ(Put("/bucket/key", "x", {{"Content-Type", "text/plain"}}).status, 200);
  const Reply got =
      Get("/bucket/key?response-content-type=text%2Fhtml&response-content-disposition=inline"
          "&response-cache-control=no-store&response-content-language=fr&response-expires=0"
          "&response-content-encoding=br");
  EXPECT_EQ(got.Header("content-type"), "text/html");
  EXPECT_EQ(got.Header("content-disposition"), "inline");
  EXPECT_EQ(got.Header("cache-control"), "no-store");
  EXPECT_EQ(got.Header("content-language"), "fr");
  EXPECT_EQ(got.Header("expires"), "0");
  EXPECT_EQ(got.Header("content-encoding"), "br");
}

TEST_F(ObjectTest, ALineBreakInAnOverrideMakesNoHeader) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  const Reply got = Get("/bucket/key?response-content-type=a%0D%0AX-Evil:%201");
  EXPECT_EQ(got.status, 200);
  EXPECT_FALSE(got.headers.contains("x-evil"));
  EXPECT_EQ(got.Header("content-type"), "a  X-Evil: 1");
}

TEST_F(ObjectTest, ARangeGivesThatPart) {
  for (const std::size_t size : {std::size_t{1000}, std::size_t{300000}}) {
    const std::string content = Pattern(size);
    ASSERT_EQ(Put("/bucket/key", content).status, 200);
    const auto range = [&](const std::string& text) {
      return Get("/bucket/key", {{"Range", text}});
    };
    const Reply middle = range("bytes=10-19");
    EXPECT_EQ(middle.status, 206);
    EXPECT_EQ(middle.body, content.substr(10, 10));
    EXPECT_EQ(middle.Header("content-range"), "bytes 10-19/" + std::to_string(size));
    EXPECT_EQ(range("bytes=0-0").body, content.substr(0, 1));
    EXPECT_EQ(range("bytes=990-").body, content.substr(990));
    EXPECT_EQ(range("bytes=-5").body, content.substr(size - 5));
    EXPECT_EQ(range("bytes=-99999999").body, content);
    EXPECT_EQ(range("bytes=5-99999999999999999999999").body, content.substr(5));
    EXPECT_EQ(Send("HEAD", "/bucket/key", {{"Range", "bytes=10-19"}}).Header("content-length"),
              "10");
  }
}

TEST_F(ObjectTest, ARangeBeyondTheEndIs416) {
  ASSERT_EQ(Put("/bucket/key", "0123456789").status, 200);
  for (const char* text : {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"}) {
    const Reply reply = Get("/bucket/key", {{"Range", text}});
    EXPECT_EQ(reply.status, 416) << text;
    EXPECT_EQ(reply.Code(), "InvalidRange");
    EXPECT_EQ(reply.Header("content-range"), "bytes */10");
  }
  ASSERT_EQ(Put("/bucket/empty", "").status, 200);
  EXPECT_EQ(Get("/bucket/empty", {{"Range", "bytes=0-"}}).status, 416);
}

TEST_F(ObjectTest, ARangeThatCannotBeReadGivesAll) {
  ASSERT_EQ(Put("/bucket/key", "0123456789").status, 200);
  for (const char* text : {"bytes=1-2,4-5", "bytes=5-2", "bytes=x-", "lines=1-2",
                           "bytes=", "bytes=-", "bytes=1", "bytes=0x1-2"}) {
    const Reply reply = Get("/bucket/key", {{"Range", text}});
    EXPECT_EQ(reply.status, 200) << text;
    EXPECT_EQ(reply.body, "0123456789");
  }
}

TEST_F(ObjectTest, IfRangeChoosesBetweenPartAndAll) {
  const std::string etag = Put("/bucket/key", "0123456789").Header("etag");
  EXPECT_EQ(Get("/bucket/key", {{"Range", "bytes=1-2"}, {"If-Range", etag}}).status, 206);
  EXPECT_EQ(Get("/bucket/key", {{"Range", "bytes=1-2"}, {"If-Range", "\"other\""}}).status, 200);
}

TEST_F(ObjectTest, ReadConditionsHaveRfcPrecedence) {
  const std::string etag = Put("/bucket/key", "x").Header("etag");
  const std::string bare = etag.substr(1, etag.size() - 2);
  const std::string past = "Sun, 06 Nov 1994 08:49:37 GMT";
  const std::string future = "Fri, 01 Jan 2100 00:00:00 GMT";
  const auto status = [&](const HeaderList& headers) { return Get("/bucket/key", headers).status; };
  EXPECT_EQ(status({{"If-Match", etag}}), 200);
  EXPECT_EQ(status({{"If-Match", bare}}), 200);
  EXPECT_EQ(status({{"If-Match", "\"a\", " + etag}}), 200);
  EXPECT_EQ(status({{"If-Match", "*"}}), 200);
  EXPECT_EQ(status({{"If-Match", "\"a\""}}), 412);
  EXPECT_EQ(status({{"If-None-Match", etag}}), 304);
  EXPECT_EQ(status({{"If-None-Match", "*"}}), 304);
  EXPECT_EQ(status({{"If-None-Match", "\"a\""}}), 200);
  EXPECT_EQ(status({{"If-Modified-Since", future}}), 304);
  EXPECT_EQ(status({{"If-Modified-Since", past}}), 200);
  EXPECT_EQ(status({{"If-Unmodified-Since", past}}), 412);
  EXPECT_EQ(status({{"If-Unmodified-Since", future}}), 200);
  EXPECT_EQ(status({{"If-Modified-Since", "yesterday"}}), 200);
  // An ETag that matches makes the date not count, and the reverse.
  EXPECT_EQ(status({{"If-Match", etag}, {"If-Unmodified-Since", past}}), 200);
  EXPECT_EQ(status({{"If-None-Match", "\"a\""}, {"If-Modified-Since", future}}), 200);
  const Reply unchanged = Get("/bucket/key", {{"If-None-Match", etag}});
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(unchanged.Header("etag"), etag);
  EXPECT_FALSE(unchanged.Header("last-modified").empty());
}

TEST_F(ObjectTest, WriteConditionsAreDecidedOnTheCurrentObject) {
  const std::string etag = Put("/bucket/key", "1", {{"If-None-Match", "*"}}).Header("etag");
  ASSERT_FALSE(etag.empty());
  EXPECT_EQ(Put("/bucket/key", "2", {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(Put("/bucket/key", "2", {{"If-Match", "\"other\""}}).status, 412);
  EXPECT_EQ(Get("/bucket/key").body, "1");
  EXPECT_EQ(Put("/bucket/key", "3", {{"If-Match", etag}}).status, 200);
  EXPECT_EQ(Get("/bucket/key").body, "3");
  EXPECT_EQ(Put("/bucket/none", "3", {{"If-Match", etag}}).status, 404);
  EXPECT_EQ(Put("/bucket/key", "4", {{"If-None-Match", etag}}).status, 501);
  EXPECT_EQ(Get("/bucket/key").body, "3");
}

TEST_F(ObjectTest, DeleteAnswers204AlsoForNothing) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  EXPECT_EQ(Send("DELETE", "/bucket/key").status, 204);
  EXPECT_EQ(Get("/bucket/key").Code(), "NoSuchKey");
  EXPECT_EQ(Send("DELETE", "/bucket/key").status, 204);
  const Reply no_bucket = Send("DELETE", "/nobucket/key");
  EXPECT_EQ(no_bucket.status, 404);
  EXPECT_EQ(no_bucket.Code(), "NoSuchBucket");
}

TEST_F(ObjectTest, KeysAreTheirBytesWhateverTheyLookLike) {
  const std::vector<std::pair<std::string, std::string>> keys = {{"a%20b", "a b"},
                                                                 {"a+b", "a+b"},
                                                                 {"a%2Bb", "a+b"},
                                                                 {"x//y", "x//y"},
                                                                 {"./x", "./x"},
                                                                 {"x/../y", "x/../y"},
                                                                 {"..", ".."},
                                                                 {"%2F", "/"},
                                                                 {"a%252Fb", "a%2Fb"},
                                                                 {"%C3%A4", "\xc3\xa4"},
                                                                 {"q%3F%23", "q?#"},
                                                                 {"\"'%3C%26", "\"'<&"},
                                                                 {"trailing/", "trailing/"},
                                                                 {"/leading", "/leading"}};
  for (const auto& [encoded, key] : keys) {
    const std::string content = "content of " + key;
    ASSERT_EQ(Put("/bucket/" + encoded, content).status, 200) << key;
    EXPECT_EQ(Get("/bucket/" + encoded).body, content) << key;
    const auto stored = GetObject(key);
    ASSERT_TRUE(stored.ok()) << key;
    EXPECT_EQ(*stored, content);
  }
}

// A client that sends all before it reads (curl -T without Expect) would get a reset instead.
TEST_F(ObjectTest, ARefusalArrivesAlsoWhenTheBodyIsStillOnItsWay) {
  const Reply refused = Put("/nobucket/key", std::string(16 << 20, 'x'));
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.Code(), "NoSuchBucket");
}

TEST_F(ObjectTest, MissingThingsHaveTheirOwnCodes) {
  EXPECT_EQ(Get("/bucket/none").Code(), "NoSuchKey");
  EXPECT_EQ(Get("/bucket/none").Xml("Key"), "none");
  EXPECT_EQ(Get("/nobucket/none").Code(), "NoSuchBucket");
  EXPECT_EQ(Get("/nobucket").Code(), "NoSuchBucket");
  const Reply head = Send("HEAD", "/bucket/none");
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(Put("/nobucket/key", "x").Code(), "NoSuchBucket");
}

TEST_F(ObjectTest, AStoredChecksumIsShownToWhoAsks) {
  // CRC32 of "123456789" is 0xcbf43926.
  const std::string crc = ToBase64(std::string("\xcb\xf4\x39\x26", 4));
  const Reply put = Put("/bucket/key", "123456789", {{"x-amz-checksum-crc32", crc}});
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(put.Header("x-amz-checksum-crc32"), crc);
  EXPECT_FALSE(Get("/bucket/key").headers.contains("x-amz-checksum-crc32"));
  const HeaderList ask = {{"x-amz-checksum-mode", "ENABLED"}};
  EXPECT_EQ(Get("/bucket/key", ask).Header("x-amz-checksum-crc32"), crc);
  EXPECT_EQ(Send("HEAD", "/bucket/key", ask).Header("x-amz-checksum-crc32"), crc);
  EXPECT_EQ(Get("/bucket/key", ask).Header("x-amz-checksum-type"), "FULL_OBJECT");
  const Reply part =
      Get("/bucket/key", {{"x-amz-checksum-mode", "ENABLED"}, {"Range", "bytes=0-1"}});
  EXPECT_FALSE(part.headers.contains("x-amz-checksum-crc32"));
}

TEST_F(ObjectTest, PresignedHeadersInTheQueryCount) {
  ASSERT_EQ(Put("/bucket/key?X-Amz-Meta-Colour=red&x-id=PutObject", "x").status, 200);
  EXPECT_EQ(Get("/bucket/key").Header("x-amz-meta-colour"), "red");
  ASSERT_EQ(Put("/bucket/other", "y").status, 200);
  EXPECT_EQ(Put("/bucket/key?X-Amz-Copy-Source=%2Fbucket%2Fother", "").status, 200);
  EXPECT_EQ(Get("/bucket/key").body, "y");
}

TEST_F(ObjectTest, ADirectoryOfTheMountIsAKeyThatEndsInASlash) {
  const fs::InodeId directory = Mkdir(root_, "dir");
  WriteFile(directory, "file", "from the mount");
  EXPECT_EQ(Get("/bucket/dir/file").body, "from the mount");
  EXPECT_EQ(Get("/bucket/dir").Code(), "NoSuchKey");
  const Reply got = Get("/bucket/dir/");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "");
  EXPECT_EQ(got.Header("content-type"), "application/x-directory");
}

TEST_F(ObjectTest, VirtualHostStyleNamesTheBucketByHost) {
  Restart({.domains = {"S3.Example.org"}, .default_owner = "tester"});
  const HeaderList host = {{"Host", "bucket.s3.example.org:9878"}};
  ASSERT_EQ(Put("/a/b", "x", host).status, 200);
  EXPECT_EQ(Get("/a/b", host).body, "x");
  EXPECT_EQ(Get("/bucket/a/b", {{"Host", "s3.example.org"}}).body, "x");
  EXPECT_EQ(Get("/", host).Xml("Key"), "a/b");
}

}  // namespace
}  // namespace amphora::test
