// Volumes, buckets and access keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fs/objects/object_fixture.h"

namespace amphora::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::MatchesRegex;

class BucketsTest : public test::ObjectTest {
 protected:
  Buckets& buckets() { return engine_->buckets(); }
  Credentials& credentials() { return engine_->credentials(); }
};

TEST_F(BucketsTest, AFreshStoreHasTheS3Volume) {
  EXPECT_THAT(buckets().ListVolumes().value(), ElementsAre(Field(&VolumeInfo::name, "s3v")));
  EXPECT_TRUE(buckets().DeleteVolume("s3v").Is(ErrorCode::kNotPermitted));
  EXPECT_EQ(files().GetAttributes(kStoreRoot)->kind, FileKind::kDirectory);
  EXPECT_THAT(Names(kStoreRoot), ElementsAre("s3v"));
}

TEST_F(BucketsTest, ABucketIsADirectoryOfItsOwner) {
  Caller caller;
  caller.uid = 1000;
  caller.gid = 100;
  const auto made = buckets().CreateBucket(caller, "ann", "s3v", "photos");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->info.owner, "ann");
  const auto at = files().ResolvePath("s3v/photos");
  ASSERT_TRUE(at.ok());
  EXPECT_EQ(at->inode.value(), made->info.id.value());
  EXPECT_EQ(at->uid, 1000u);
  EXPECT_EQ(at->permissions, 0755u);
  EXPECT_EQ(files().ParentOf(at->inode).value(), files().ResolvePath("s3v")->inode);
  EXPECT_TRUE(buckets().CreateBucket(caller, "ann", "s3v", "photos").Is(ErrorCode::kExists));
}

TEST_F(BucketsTest, NamesAreChecked) {
  for (const char* name : {"ab", "UPPER", "a..b", "-ab", "1.2.3.4", "a/b"}) {
    EXPECT_TRUE(buckets().CreateBucket(caller_, "t", "s3v", name).Is(ErrorCode::kBadName)) << name;
    EXPECT_TRUE(buckets().CreateVolume(caller_, "t", name).Is(ErrorCode::kBadName)) << name;
  }
}

TEST_F(BucketsTest, AreListedByNameAndSurviveARestart) {
  ASSERT_TRUE(buckets().CreateBucket(caller_, "t", "s3v", "zebra").ok());
  ASSERT_TRUE(buckets().CreateBucket(caller_, "t", "s3v", "apple").ok());
  Reopen();
  EXPECT_THAT(buckets().ListBuckets("s3v").value(),
              ElementsAre(Field(&BucketInfo::name, "apple"), Field(&BucketInfo::name, "bucket"),
                          Field(&BucketInfo::name, "zebra")));
  EXPECT_TRUE(buckets().ListBuckets("none").Is(ErrorCode::kNoSuchVolume));
  EXPECT_TRUE(buckets().FindBucket("s3v", "none").Is(ErrorCode::kNoSuchBucket));
  EXPECT_TRUE(buckets().FindBucket("none", "bucket").Is(ErrorCode::kNoSuchVolume));
}

TEST_F(BucketsTest, OneThatHoldsAnythingIsNotDeleted) {
  ASSERT_TRUE(Put("key", "x").ok());
  EXPECT_TRUE(buckets().DeleteBucket("s3v", "bucket").Is(ErrorCode::kBucketNotEmpty));
  EXPECT_TRUE(Delete("key"));
  Mkdir(root_, "empty");
  EXPECT_TRUE(buckets().DeleteBucket("s3v", "bucket").Is(ErrorCode::kBucketNotEmpty));
  ASSERT_TRUE(files().RemoveDirectory(caller_, root_, "empty").ok());
  EXPECT_TRUE(buckets().DeleteBucket("s3v", "bucket").ok());
  EXPECT_TRUE(buckets().DeleteBucket("s3v", "bucket").Is(ErrorCode::kNoSuchBucket));
  EXPECT_TRUE(buckets().FindBucket("s3v", "bucket").Is(ErrorCode::kNoSuchBucket));
  EXPECT_FALSE(files().ResolvePath("s3v/bucket").ok());
}

TEST_F(BucketsTest, ANewOneOfTheSameNameIsAnother) {
  ASSERT_TRUE(buckets().DeleteBucket("s3v", "bucket").ok());
  const auto made = buckets().CreateBucket(caller_, "t", "s3v", "bucket");
  ASSERT_TRUE(made.ok());
  EXPECT_NE(made->info.id, bucket_);
  EXPECT_EQ(buckets().FindBucket("s3v", "bucket")->id, made->info.id);
  EXPECT_TRUE(Put("key", "x").Is(ErrorCode::kNoSuchBucket));
}

TEST_F(BucketsTest, VolumesHoldBucketsAndGoWhenEmpty) {
  ASSERT_TRUE(buckets().CreateVolume(caller_, "t", "vol").ok());
  EXPECT_TRUE(buckets().CreateVolume(caller_, "t", "vol").Is(ErrorCode::kExists));
  EXPECT_TRUE(buckets().CreateBucket(caller_, "t", "nope", "bucket").Is(ErrorCode::kNoSuchVolume));
  ASSERT_TRUE(buckets().CreateBucket(caller_, "t", "vol", "bucket").ok());
  EXPECT_NE(buckets().FindBucket("vol", "bucket")->id, bucket_);
  EXPECT_TRUE(buckets().DeleteVolume("vol").Is(ErrorCode::kNotEmpty));
  ASSERT_TRUE(buckets().DeleteBucket("vol", "bucket").ok());
  EXPECT_TRUE(buckets().DeleteVolume("vol").ok());
  EXPECT_TRUE(buckets().GetVolume("vol").Is(ErrorCode::kNoSuchVolume));
  EXPECT_TRUE(buckets().DeleteVolume("vol").Is(ErrorCode::kNoSuchVolume));
}

TEST_F(BucketsTest, ASecretIsMadeOnceAndRevokedAtOnce) {
  Caller caller;
  caller.uid = 1000;
  const std::string id = "testuser/scm@EXAMPLE.COM";
  const auto made = credentials().GetOrCreate(id, caller, "testuser");
  ASSERT_TRUE(made.ok());
  EXPECT_THAT(made->secret, MatchesRegex("[0-9a-f]{64}"));
  EXPECT_EQ(credentials().GetOrCreate(id, caller, "testuser")->secret, made->secret);
  EXPECT_EQ(credentials().Find(id)->secret, made->secret);
  EXPECT_EQ(credentials().Find(id)->uid, 1000u);
  Reopen();
  EXPECT_EQ(credentials().Find(id)->secret, made->secret);
  const auto listed = credentials().List();
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().id, id);
  EXPECT_EQ(listed->front().secret, "");
  ASSERT_TRUE(credentials().Revoke(id).ok());
  EXPECT_TRUE(credentials().Find(id).Is(ErrorCode::kNoSuchKey));
  EXPECT_TRUE(credentials().Revoke(id).Is(ErrorCode::kNoSuchKey));
  EXPECT_NE(credentials().GetOrCreate(id, caller, "testuser")->secret, made->secret);
}

TEST_F(BucketsTest, AccessKeyIdsAreChecked) {
  for (const std::string& id : {std::string(), std::string(129, 'a'), std::string("a b"),
                                std::string("a\n"), std::string("\xc3\xa4")}) {
    EXPECT_TRUE(credentials().GetOrCreate(id, caller_, "t").Is(ErrorCode::kBadName));
  }
}

TEST_F(BucketsTest, DumpShowsEveryRowAndNoSecret) {
  const auto key = credentials().GetOrCreate("ann", caller_, "ann");
  ASSERT_TRUE(key.ok());
  ASSERT_TRUE(Put("dir/file", "content").ok());
  std::string text;
  ASSERT_TRUE(engine_->admin()
                  .Dump([&](std::string_view line) {
                    text.append(line).append("\n");
                    return true;
                  })
                  .ok());
  EXPECT_EQ(text.find(key->secret), std::string::npos);
  for (const char* part : {"access-key ann", "volume s3v", "dir/", "bucket", "content"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(part));
  }
  int lines = 0;
  ASSERT_TRUE(engine_->admin().Dump([&](std::string_view) { return ++lines < 3; }).ok());
  EXPECT_EQ(lines, 3);
}

TEST_F(BucketsTest, FiguresDescribeTheStore) {
  ASSERT_TRUE(Put("key", "x").ok());
  const auto figures = engine_->admin().Figures();
  EXPECT_EQ(figures.format, kStoreFormat);
  EXPECT_FALSE(figures.poisoned);
  EXPECT_GT(figures.newest_ticket, 0u);
  ASSERT_TRUE(engine_->WaitDurable(figures.newest_ticket).ok());
  EXPECT_TRUE(engine_->admin().Figures().durable);
}

}  // namespace
}  // namespace amphora::fs
