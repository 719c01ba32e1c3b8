// Conditional writes: which headers are conditions, what losers are told.
#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

using ConditionsTest = S3Test;

constexpr const char* kPast = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string Bare(const std::string& etag) { return etag.substr(1, etag.size() - 2); }

TEST_F(ConditionsTest, AnETagMatchesQuotedOrBare) {
  std::string etag = Put("/bucket/key", "0").Header("etag");
  for (int round = 1; round <= 4; ++round) {
    const std::string said = round % 2 == 0 ? etag : Bare(etag);
    const Reply put = Put("/bucket/key", std::to_string(round), {{"If-Match", said}});
    ASSERT_EQ(put.status, 200) << said;
    EXPECT_EQ(Put("/bucket/key", "late", {{"If-Match", said}}).status, 412);
    etag = put.Header("etag");
  }
  EXPECT_EQ(Get("/bucket/key").body, "4");
}

TEST_F(ConditionsTest, ALoserIsToldTheCondition) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  const Reply match = Put("/bucket/key", "y", {{"If-Match", "\"other\""}});
  EXPECT_EQ(match.status, 412);
  EXPECT_EQ(match.Code(), "PreconditionFailed");
  EXPECT_EQ(match.Xml("Condition"), "If-Match");
  const Reply none = Put("/bucket/key", "y", {{"If-None-Match", "*"}});
  EXPECT_EQ(none.status, 412);
  EXPECT_EQ(none.Xml("Condition"), "If-None-Match");
  const Reply missing = Put("/bucket/none", "y", {{"If-Match", "\"other\""}});
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.Code(), "NoSuchKey");
  EXPECT_EQ(missing.Xml("Key"), "none");
  EXPECT_EQ(Get("/bucket/key", {{"If-Match", "\"other\""}}).Xml("Condition"), "If-Match");
  EXPECT_EQ(Get("/bucket/key", {{"If-Unmodified-Since", kPast}}).Xml("Condition"),
            "If-Unmodified-Since");
  EXPECT_EQ(Get("/bucket/key").body, "x");
}

TEST_F(ConditionsTest, WhatIsNoConditionOfAWriteAnswers501) {
  const std::string etag = Put("/bucket/key", "x").Header("etag");
  const std::vector<HeaderList> refused = {{{"If-None-Match", etag}},
                                           {{"If-None-Match", "*, " + etag}},
                                           {{"If-None-Match", ""}},
                                           {{"If-Match", "*"}},
                                           {{"If-Match", ""}},
                                           {{"If-Match", ","}},
                                           {{"If-Match", etag}, {"If-None-Match", "*"}},
                                           {{"If-Modified-Since", kPast}},
                                           {{"If-Unmodified-Since", kPast}}};
  for (const HeaderList& headers : refused) {
    for (const char* target : {"/bucket/key", "/bucket/new"}) {
      const Reply reply = Put(target, "y", headers);
      EXPECT_EQ(reply.status, 501) << headers[0].first << headers[0].second;
      EXPECT_EQ(reply.Code(), "NotImplemented");
    }
  }
  EXPECT_EQ(Get("/bucket/key").body, "x");
  EXPECT_EQ(Get("/bucket/new").status, 404);
}

TEST_F(ConditionsTest, ADeletionMayWantTheETagItKnows) {
  const std::string etag = Put("/bucket/key", "x").Header("etag");
  const auto remove = [&](const std::string& key, const std::string& tag) {
    return Send("DELETE", "/bucket/" + key, {{"If-Match", tag}});
  };
  const Reply other = remove("key", "\"other\"");
  EXPECT_EQ(other.status, 412);
  EXPECT_EQ(other.Xml("Condition"), "If-Match");
  EXPECT_EQ(Get("/bucket/key").body, "x");
  EXPECT_EQ(remove("key", Bare(etag)).status, 204);
  const Reply gone = remove("key", etag);
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.Code(), "NoSuchKey");
  EXPECT_EQ(gone.Xml("Key"), "key");
  EXPECT_EQ(remove("key", "*").status, 404);
  ASSERT_EQ(Put("/bucket/key", "y").status, 200);
  EXPECT_EQ(remove("key", "").status, 501);
  EXPECT_EQ(remove("key", "a, b").status, 501);
  EXPECT_EQ(Get("/bucket/key").body, "y");
  EXPECT_EQ(remove("key", "*").status, 204);
}

TEST_F(ConditionsTest, AConditionSeesWhatTheMountWrote) {
  const std::string etag = Put("/bucket/key", "by S3").Header("etag");
  WriteFile(root_, "key", "by the mount");
  EXPECT_EQ(Put("/bucket/key", "y", {{"If-Match", etag}}).status, 412);
  WriteFile(root_, "other", "by the mount");
  EXPECT_EQ(Put("/bucket/other", "y", {{"If-None-Match", "*"}}).status, 412);
  const std::string now = Get("/bucket/key").Header("etag");
  EXPECT_EQ(Put("/bucket/key", "y", {{"If-Match", now}}).status, 200);
}

}  // namespace
}  // namespace amphora::test
