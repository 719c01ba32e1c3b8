// Many keys deleted by one request.
#include "fs/data/digests.h"
#include "meta/base/encoding.h"
#include "meta/base/failpoint.h"
#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

std::string Base64Of(fs::DigestKind kind, std::string_view text) {
  fs::DigestSet digests(std::span(&kind, 1));
  digests.Update(std::as_bytes(std::span(text)));
  return ToBase64(digests.Finish()[kind]);
}

class DeleteObjectsTest : public S3Test {
 protected:
  Reply Delete(const std::string& document) {
    return Send("POST", "/bucket?delete",
                {{"Content-MD5", Base64Of(fs::DigestKind::kMd5, document)}}, document);
  }
  void Store(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) ASSERT_TRUE(PutObject(key, "x").ok()) << key;
  }
};

std::string Object(const std::string& key) { return "<Object><Key>" + key + "</Key></Object>"; }

TEST_F(DeleteObjectsTest, DeletesWhatIsNamedAndNothingElse) {
  Store({"a", "b", "c&d", " ", "dir/x"});
  const Reply reply =
      Delete("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + Object("a") +
             Object("c&amp;d") + Object(" ") + Object("none") + "</Delete>");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.XmlAll("Key"), (std::vector<std::string>{"a", "c&amp;d", " ", "none"}));
  EXPECT_EQ(Keys(), (std::vector<std::string>{"b", "dir/x"}));
}

TEST_F(DeleteObjectsTest, QuietSaysOnlyWhatFailed) {
  Store({"a", "b"});
  const std::string quiet = "<Delete><Quiet>true</Quiet>" + Object("a") + "</Delete>";
  ASSERT_TRUE(ArmFailpoint("fs.delete.before_commit", "fail"));
  const Reply failed = Delete(quiet);
  DisarmAllFailpoints();
  EXPECT_EQ(failed.status, 200);
  EXPECT_EQ(failed.XmlAll("Error").size(), 1u) << failed.body;
  EXPECT_EQ(failed.Xml("Key"), "a");
  EXPECT_EQ(failed.Code(), "InternalError");
  EXPECT_EQ(Keys(), (std::vector<std::string>{"a", "b"}));
  const Reply done = Delete(quiet);
  EXPECT_EQ(done.status, 200);
  EXPECT_TRUE(done.XmlAll("Error").empty() && done.XmlAll("Deleted").empty()) << done.body;
  EXPECT_EQ(Keys(), std::vector<std::string>{"b"});
}

TEST_F(DeleteObjectsTest, AKeySplitByCdataIsOneKey) {
  Store({"a", "ab"});
  EXPECT_EQ(Delete("<Delete>" + Object("a<![CDATA[b]]>") + "</Delete>").status, 200);
  EXPECT_EQ(Keys(), std::vector<std::string>{"a"});
}

TEST_F(DeleteObjectsTest, AnyChecksumProtectsTheDocument) {
  Store({"a", "b", "c", "d", "e"});
  const std::vector<std::pair<std::string, fs::DigestKind>> kinds = {
      {"crc32", fs::DigestKind::kCrc32},
      {"crc32c", fs::DigestKind::kCrc32c},
      {"crc64nvme", fs::DigestKind::kCrc64Nvme},
      {"sha1", fs::DigestKind::kSha1},
      {"sha256", fs::DigestKind::kSha256}};
  char key = 'a';
  for (const auto& [name, kind] : kinds) {
    const std::string document = "<Delete>" + Object(std::string(1, key++)) + "</Delete>";
    const Reply good = Send("POST", "/bucket?delete",
                            {{"x-amz-checksum-" + name, Base64Of(kind, document)}}, document);
    EXPECT_EQ(good.status, 200) << name << good.body;
    const Reply bad = Send("POST", "/bucket?delete",
                           {{"x-amz-checksum-" + name, Base64Of(kind, "other")}}, document);
    EXPECT_EQ(bad.Code(), "BadDigest") << name;
  }
  EXPECT_TRUE(Keys().empty());
}

TEST_F(DeleteObjectsTest, AnETagBindsItsObjectOnly) {
  Store({"a", "b", "c", "d"});
  const std::string etag = Send("HEAD", "/bucket/a").Header("etag");
  const auto object = [](const std::string& key, const std::string& tag) {
    return "<Object><Key>" + key + "</Key><ETag>" + tag + "</ETag></Object>";
  };
  const std::string bare = etag.substr(1, etag.size() - 2);
  const Reply reply =
      Delete("<Delete>" + object("a", "&quot;" + bare + "&quot;") + object("b", bare) +
             object("c", "other") + object("d", "*") + object("none", bare) + "</Delete>");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.XmlAll("Code"), (std::vector<std::string>{"PreconditionFailed", "NoSuchKey"}));
  EXPECT_EQ(reply.XmlAll("Key"), (std::vector<std::string>{"a", "b", "c", "d", "none"}));
  EXPECT_EQ(Keys(), std::vector<std::string>{"c"});
}

TEST_F(DeleteObjectsTest, WhatIsNotMeantDeletesNothing) {
  Store({"a", "b"});
  const std::string before = Dump();
  const std::string good = "<Delete>" + Object("a") + "</Delete>";
  const Reply unprotected = Send("POST", "/bucket?delete", {}, good);
  EXPECT_EQ(unprotected.status, 400);
  EXPECT_EQ(unprotected.Code(), "InvalidRequest");
  std::string many = "<Delete>";
  for (int i = 0; i < 1001; ++i) many += Object("a");
  const std::vector<std::pair<std::string, std::string>> documents = {
      {"", "MalformedXML"},
      {"<Delete></Delete>", "MalformedXML"},
      {"<Delete>" + Object("a"), "MalformedXML"},
      {"<Delete>" + Object("a") + "<Object></Object></Delete>", "MalformedXML"},
      {"<Delete>" + Object("a") + Object("") + "</Delete>", "MalformedXML"},
      {"<Delete>" + Object("a") + "<Other/></Delete>", "MalformedXML"},
      {"<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>", "MalformedXML"},
      {"<Delete><Quiet>maybe</Quiet>" + Object("a") + "</Delete>", "MalformedXML"},
      {"<Delete>" + Object("a<b/>") + "</Delete>", "MalformedXML"},
      {"<Remove>" + Object("a") + "</Remove>", "MalformedXML"},
      {many + "</Delete>", "MalformedXML"},
      {"<Delete><Object><Key>a</Key><VersionId>null</VersionId></Object></Delete>",
       "NotImplemented"},
      {"<Delete><Object><Key>a</Key><Size>1</Size></Object></Delete>", "NotImplemented"},
      {"<Delete><Object><Key>a</Key><ETag></ETag></Object></Delete>", "MalformedXML"},
      {"<Delete><Object><Key>a</Key><ETag>x</ETag><ETag>y</ETag></Object></Delete>",
       "MalformedXML"},
  };
  for (const auto& [document, code] : documents) {
    const Reply reply = Delete(document);
    EXPECT_EQ(reply.Code(), code) << document.substr(0, 200);
  }
  EXPECT_EQ(Dump(), before);
}

}  // namespace
}  // namespace amphora::test
