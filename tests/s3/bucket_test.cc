// Buckets: making, finding, listing, removing.
#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

using BucketTest = S3Test;

std::string Configuration(const std::string& inside) {
  return "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + inside +
         "</CreateBucketConfiguration>";
}

TEST_F(BucketTest, ANewBucketIsThereAtOnce) {
  const Reply made = Put("/new-bucket", "");
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.Header("location"), "/new-bucket");
  const Reply head = Send("HEAD", "/new-bucket");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Header("x-amz-bucket-region"), "us-east-1");
  EXPECT_EQ(Send("HEAD", "/other-bucket").status, 404);
  EXPECT_TRUE(engine_->buckets().FindBucket("s3v", "new-bucket").ok());
}

TEST_F(BucketTest, ListBucketsNamesThemInOrderWithTheirOwner) {
  ASSERT_EQ(Put("/zebra", "").status, 200);
  ASSERT_EQ(Put("/alpha", "").status, 200);
  const Reply all = Get("/");
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(all.XmlAll("Name"), (std::vector<std::string>{"alpha", "bucket", "zebra"}));
  EXPECT_EQ(all.Xml("ID"), "tester");
  EXPECT_EQ(all.Xml("CreationDate").size(), std::string("2009-10-12T17:50:30.000Z").size());
  EXPECT_EQ(Get("/?prefix=z").XmlAll("Name"), std::vector<std::string>{"zebra"});
  const Reply page = Get("/?max-buckets=2");
  EXPECT_EQ(page.XmlAll("Name"), (std::vector<std::string>{"alpha", "bucket"}));
  const Reply rest = Get("/?max-buckets=2&continuation-token=" + page.Xml("ContinuationToken"));
  EXPECT_EQ(rest.XmlAll("Name"), std::vector<std::string>{"zebra"});
  EXPECT_EQ(rest.Xml("ContinuationToken"), "");
}

TEST_F(BucketTest, OtherVolumesDoNotShow) {
  ASSERT_TRUE(engine_->buckets().CreateVolume(caller_, "tester", "vol1").ok());
  ASSERT_TRUE(engine_->buckets().CreateBucket(caller_, "tester", "vol1", "hidden").ok());
  EXPECT_EQ(Get("/").XmlAll("Name"), std::vector<std::string>{"bucket"});
  EXPECT_EQ(Get("/hidden").status, 404);
}

TEST_F(BucketTest, MakingYourOwnBucketAgainSucceedsInUsEast1Only) {
  EXPECT_EQ(Put("/bucket", "").status, 200);
  Restart({.region = "eu-central-1", .default_owner = "tester"});
  const Reply again = Put("/bucket", "");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.Code(), "BucketAlreadyOwnedByYou");
  Restart({.default_owner = "somebody"});
  EXPECT_EQ(Put("/bucket", "").Code(), "BucketAlreadyExists");
}

TEST_F(BucketTest, TheLocationMustBeOurs) {
  Restart({.region = "eu-central-1", .default_owner = "tester"});
  const auto wanting = [](const std::string& region) {
    return Configuration("<LocationConstraint>" + region + "</LocationConstraint>");
  };
  EXPECT_EQ(Put("/one", wanting("eu-central-1")).status, 200);
  const Reply wrong = Put("/two", wanting("us-west-2"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.Code(), "IllegalLocationConstraintException");
  EXPECT_EQ(Send("HEAD", "/two").status, 404);
  EXPECT_EQ(
      Get("/one?location").body.find("eu-central-1</LocationConstraint>") != std::string::npos,
      true);
  EXPECT_EQ(Put("/three", Configuration("<Bucket><Type>Directory</Type></Bucket>")).status, 501);
  EXPECT_EQ(Put("/four", "<Wrong/>").Code(), "MalformedXML");
  EXPECT_EQ(Get("/").XmlAll("Name"), (std::vector<std::string>{"bucket", "one"}));
}

TEST_F(BucketTest, UsEast1IsTheEmptyLocation) {
  const Reply location = Get("/bucket?location");
  EXPECT_EQ(location.status, 200);
  EXPECT_NE(location.body.find("<LocationConstraint"), std::string::npos);
  EXPECT_EQ(location.body.find("us-east-1"), std::string::npos);
  EXPECT_EQ(Get("/nobucket?location").Code(), "NoSuchBucket");
}

TEST_F(BucketTest, ABadNameIsRefused) {
  for (const char* target : {"/ab", "/UPPER", "/a..b", "/-ab", "/192.168.0.1", "/a_b", "/a%2Fb"}) {
    const Reply reply = Put(target, "");
    EXPECT_EQ(reply.status, 400) << target;
    EXPECT_EQ(reply.Code(), "InvalidBucketName") << target;
  }
}

TEST_F(BucketTest, OnlyAnEmptyBucketGoes) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  const Reply full = Send("DELETE", "/bucket");
  EXPECT_EQ(full.status, 409);
  EXPECT_EQ(full.Code(), "BucketNotEmpty");
  ASSERT_EQ(Send("DELETE", "/bucket/key").status, 204);
  EXPECT_EQ(Send("DELETE", "/bucket").status, 204);
  EXPECT_EQ(Send("DELETE", "/bucket").Code(), "NoSuchBucket");
  EXPECT_EQ(Get("/").XmlAll("Name"), std::vector<std::string>{});
}

TEST_F(BucketTest, AnExpectedOwnerThatIsAnotherIsDenied) {
  EXPECT_EQ(Get("/bucket", {{"x-amz-expected-bucket-owner", "tester"}}).status, 200);
  EXPECT_EQ(Get("/bucket", {{"x-amz-expected-bucket-owner", "other"}}).Code(), "AccessDenied");
}

}  // namespace
}  // namespace amphora::test
