// Links to buckets: one bucket under several names, on both faces; none dangles, none goes in a
// ring. Every test ends with a clean `check` (the fixture's).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/fs/objects/object_fixture.h"

namespace amphora::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

class LinksTest : public test::ObjectTest {
 protected:
  void SetUp() override {
    ObjectTest::SetUp();
    ASSERT_TRUE(buckets().CreateVolume(caller_, "t", "vol1").ok());
    const auto made = buckets().CreateBucket(caller_, "t", "vol1", "bucket1");
    ASSERT_TRUE(made.ok());
    target_ = made->info.id;
    s3v_ = files().ResolvePath("s3v")->inode;
    vol1_ = files().ResolvePath("vol1")->inode;
  }

  Buckets& buckets() { return engine_->buckets(); }

  Result<Made<BucketInfo>> Link(const std::string& name,
                                const BucketPath& target = {"vol1", "bucket1"}) {
    return buckets().CreateLink(caller_, "t", target, {"s3v", name});
  }

  // "name d 17" or "name -> text" of each entry, as a mount of `root` shows them.
  std::vector<std::string> Listing(InodeId directory, InodeId mount_root, bool with_attributes) {
    ReadDirectoryRequest request;
    request.directory = directory;
    request.with_attributes = with_attributes;
    request.mount_root = mount_root;
    const auto entries = files().ReadDirectory(request);
    EXPECT_TRUE(entries.ok());
    std::vector<std::string> lines;
    for (const DirectoryEntry& entry : entries.value_or(std::vector<DirectoryEntry>())) {
      std::string line = entry.name;
      if (entry.kind == FileKind::kSymlink) {
        const auto text = files().ReadLink(entry.inode, mount_root);
        line += " -> " + text.value_or("?");
        EXPECT_EQ(files().GetAttributes(entry.inode, mount_root)->size, text->size());
        if (entry.attributes) {
          EXPECT_EQ(entry.attributes->size, text->size());
        }
      } else {
        line += " d " + std::to_string(entry.inode.value());
      }
      if (entry.attributes) {
        EXPECT_EQ(entry.attributes->inode, entry.inode);
      }
      const auto looked_up = files().Lookup(directory, entry.name, mount_root);
      EXPECT_TRUE(looked_up.ok());
      EXPECT_EQ(looked_up->inode, entry.inode);
      EXPECT_EQ(looked_up->kind, entry.kind);
      lines.push_back(std::move(line));
    }
    return lines;
  }

  std::string Bucket(std::string_view name, BucketId id) {
    return std::string(name) + " d " + std::to_string(id.value());
  }

  BucketId target_;
  InodeId s3v_;
  InodeId vol1_;
};

TEST_F(LinksTest, ALinkIsTheBucketUnderASecondName) {
  const auto made = Link("common-bucket");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->info.id, target_);
  EXPECT_EQ(made->info.link_target, (BucketPath{"vol1", "bucket1"}));
  Reopen();
  const auto found = buckets().FindBucket("s3v", "common-bucket");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->id, target_);
  EXPECT_EQ(found->name, "common-bucket");
  EXPECT_THAT(
      buckets().ListBuckets("s3v").value(),
      ElementsAre(Field(&BucketInfo::name, "bucket"), Field(&BucketInfo::name, "common-bucket")));
  bucket_ = found->id;
  ASSERT_TRUE(Put("a/key", "content").ok());
  EXPECT_EQ(files().ResolvePath("vol1/bucket1/a/key")->size, 7u);
  EXPECT_EQ(files().ResolvePath("s3v/common-bucket/a/key")->size, 7u);
  EXPECT_EQ(buckets().GetBucket("s3v", "common-bucket")->bytes, 7u);
  EXPECT_THAT(buckets().LinksTo(target_).value(), ElementsAre(BucketPath{"s3v", "common-bucket"}));
}

TEST_F(LinksTest, OneThatWouldDangleIsRefused) {
  EXPECT_TRUE(Link("link", {"vol1", "nobody"}).Is(ErrorCode::kNoSuchBucket));
  EXPECT_TRUE(Link("link", {"nowhere", "bucket1"}).Is(ErrorCode::kNoSuchVolume));
  EXPECT_TRUE(buckets()
                  .CreateLink(caller_, "t", {"vol1", "bucket1"}, {"nowhere", "link"})
                  .Is(ErrorCode::kNoSuchVolume));
  EXPECT_TRUE(Link("bucket").Is(ErrorCode::kExists));
  EXPECT_TRUE(Link("Not.A.Name").Is(ErrorCode::kBadName));
  EXPECT_THAT(buckets().ListBuckets("s3v").value(), ::testing::SizeIs(1));
}

TEST_F(LinksTest, ALinkToALinkShowsTheBucketSoThatNoRingCanBe) {
  EXPECT_TRUE(Link("ring", {"s3v", "ring"}).Is(ErrorCode::kInvalidArgument));
  ASSERT_TRUE(Link("first").ok());
  const auto second = Link("second", {"s3v", "first"});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->info.link_target, (BucketPath{"vol1", "bucket1"}));
  ASSERT_TRUE(buckets().DeleteBucket("s3v", "first").ok());
  EXPECT_EQ(buckets().FindBucket("s3v", "second")->id, target_);
  EXPECT_TRUE(Link("first", {"s3v", "first"}).Is(ErrorCode::kInvalidArgument));
}

TEST_F(LinksTest, DeletingALinkLeavesTheBucket) {
  ASSERT_TRUE(Link("link").ok());
  bucket_ = target_;
  ASSERT_TRUE(Put("key", "x").ok());
  ASSERT_TRUE(buckets().FindBucket("s3v", "link").ok());  // now in the cache
  ASSERT_TRUE(buckets().DeleteBucket("s3v", "link").ok());
  EXPECT_TRUE(buckets().FindBucket("s3v", "link").Is(ErrorCode::kNoSuchBucket));
  EXPECT_FALSE(files().ResolvePath("s3v/link").ok());
  EXPECT_TRUE(Head("key").ok());
  EXPECT_TRUE(buckets().CreateBucket(caller_, "t", "s3v", "link").ok());
}

TEST_F(LinksTest, ABucketStaysWhileLinksShowIt) {
  ASSERT_TRUE(Link("link").ok());
  EXPECT_TRUE(buckets().DeleteBucket("vol1", "bucket1").Is(ErrorCode::kBucketHasLinks));
  EXPECT_TRUE(buckets().DeleteVolume("vol1").Is(ErrorCode::kNotEmpty));
  ASSERT_TRUE(buckets().DeleteBucket("s3v", "link").ok());
  EXPECT_TRUE(buckets().DeleteBucket("vol1", "bucket1").ok());
  EXPECT_TRUE(buckets().DeleteVolume("vol1").ok());
}

TEST_F(LinksTest, WhereTheTargetIsShownALinkIsARelativeSymlink) {
  ASSERT_TRUE(Link("link").ok());
  ASSERT_TRUE(
      buckets().CreateLink(caller_, "t", {"vol1", "bucket1"}, {"vol1", "same-volume"}).ok());
  for (const bool with_attributes : {false, true}) {
    EXPECT_THAT(Listing(s3v_, kStoreRoot, with_attributes),
                ElementsAre(Bucket("bucket", bucket_), "link -> ../vol1/bucket1"));
    EXPECT_THAT(Listing(vol1_, vol1_, with_attributes),
                ElementsAre(Bucket("bucket1", target_), "same-volume -> bucket1"));
  }
}

TEST_F(LinksTest, WhereItIsNotTheOldestLinkIsTheDirectoryAndOthersLeadToIt) {
  for (const char* name : {"first", "second", "third"}) ASSERT_TRUE(Link(name).ok());
  for (const bool with_attributes : {false, true}) {
    EXPECT_THAT(Listing(s3v_, s3v_, with_attributes),
                ElementsAre(Bucket("bucket", bucket_), Bucket("first", target_), "second -> first",
                            "third -> first"));
  }
  EXPECT_EQ(files().ParentOf(InodeId(target_.value()), s3v_).value(), s3v_);
  EXPECT_EQ(files().ParentOf(InodeId(target_.value())).value(), vol1_);
  ASSERT_TRUE(buckets().DeleteBucket("s3v", "first").ok());
  EXPECT_THAT(Listing(s3v_, s3v_, true),
              ElementsAre(Bucket("bucket", bucket_), Bucket("second", target_), "third -> second"));
}

TEST_F(LinksTest, ThePosixFaceCannotRemoveRenameOrHardLinkOne) {
  ASSERT_TRUE(Link("link").ok());
  EXPECT_TRUE(files().Unlink(caller_, s3v_, "link").Is(ErrorCode::kNotPermitted));
  EXPECT_TRUE(files()
                  .Rename(caller_, {s3v_, "link", s3v_, "other", RenameMode::kReplace})
                  .Is(ErrorCode::kNotPermitted));
  const auto link = files().Lookup(s3v_, "link");
  ASSERT_TRUE(link.ok());
  EXPECT_TRUE(files().Link(caller_, link->inode, root_, "hard").Is(ErrorCode::kCrossBucket));
}

TEST_F(LinksTest, DumpShowsWhatALinkShows) {
  ASSERT_TRUE(Link("link").ok());
  std::string text;
  ASSERT_TRUE(engine_->admin()
                  .Dump([&](std::string_view line) {
                    text.append(line).append("\n");
                    return true;
                  })
                  .ok());
  EXPECT_THAT(text, HasSubstr("target_volume=\"vol1\" target_name=\"bucket1\""));
  EXPECT_THAT(text, HasSubstr("link-to " + std::to_string(target_.value()) + " "));
}

// The guard rule: whoever wins, no link is left without its bucket.
TEST_F(LinksTest, LinkAndDeleteRaceWithoutADanglingLink) {
  for (int round = 0; round < 200; ++round) {
    const std::string bucket = "race" + std::to_string(round);
    ASSERT_TRUE(buckets().CreateBucket(caller_, "t", "vol1", bucket).ok());
    std::atomic<int> ready{0};
    const auto meet = [&ready] {
      ++ready;
      while (ready < 2) {
      }
    };
    bool deleted = false;
    std::thread other([&] {
      meet();
      deleted = buckets().DeleteBucket("vol1", bucket).ok();
    });
    meet();
    const bool linked = Link("link" + std::to_string(round), {"vol1", bucket}).ok();
    other.join();
    EXPECT_NE(linked, deleted) << round;
  }
}

}  // namespace
}  // namespace amphora::fs
