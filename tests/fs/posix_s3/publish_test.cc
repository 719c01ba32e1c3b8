// publish = close: S3 sees a file that the mount makes from its first close or fsync.
#include <gtest/gtest.h>

#include "tests/fs/data/file_fixture.h"

namespace amphora::fs {
namespace {

using test::Pattern;

class PublishTest : public test::FileTest {
 protected:
  void SetUp() override {
    FileTest::SetUp();
    Set(Publish::kClose);
  }
  void Set(Publish publish) {
    BucketSettingsChange change;
    change.publish = publish;
    ASSERT_TRUE(engine_->buckets().ChangeSettings("s3v", "bucket", change).ok());
  }
  bool Seen(std::string_view key) {
    const bool listed = !Keys().empty();
    EXPECT_EQ(objects().Head(bucket_, key).ok(), listed);
    EXPECT_EQ(objects().Open(bucket_, key).ok(), listed);
    return listed;
  }
};

TEST_F(PublishTest, AFileIsSeenFromItsFirstClose) {
  auto handle = CreateFile("f");
  EXPECT_FALSE(Seen("f"));
  ASSERT_TRUE(handle->Write(0, Bytes("half")).ok());
  EXPECT_FALSE(Seen("f"));
  EXPECT_EQ(SizeOf("f"), 4u);
  ASSERT_TRUE(handle->Flush().ok());
  EXPECT_TRUE(Seen("f"));
  // From then on as ever: live.
  ASSERT_TRUE(handle->Write(4, Bytes("more")).ok());
  EXPECT_EQ(*GetObject("f"), "halfmore");
}

TEST_F(PublishTest, AFileIsSeenFromItsFirstFsync) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes(Pattern(100'000, 1))).ok());
  EXPECT_FALSE(Seen("f"));
  ASSERT_TRUE(handle->Sync().ok());
  EXPECT_TRUE(Seen("f"));
}

TEST_F(PublishTest, AnEmptyFileIsSeenOnceItsLastDescriptorIsClosed) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Flush().ok());  // as a shell does before the program begins
  EXPECT_FALSE(Seen("f"));
  ASSERT_TRUE(handle->Publish().ok());
  EXPECT_TRUE(Seen("f"));
}

TEST_F(PublishTest, BackgroundSettlingAndReadersPublishNothing) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes("bytes")).ok());
  AttributeChange change;
  change.permissions = 0600;
  const InodeId f = files().Lookup(root_, "f")->inode;
  ASSERT_TRUE(files().SetAttributes(caller_, f, change, nullptr).ok());  // settles
  ASSERT_TRUE(files().Link(caller_, f, root_, "second").ok());
  EXPECT_EQ(
      *files().Rename(
          caller_,
          {.from_parent = root_, .from_name = "second", .to_parent = root_, .to_name = "third"}),
      RenameAnswer::kDone);
  OpenFile("f", {})->Release();
  EXPECT_FALSE(Seen("f"));
  EXPECT_FALSE(objects().Head(bucket_, "third").ok());
  ASSERT_TRUE(handle->Flush().ok());
  EXPECT_TRUE(objects().Head(bucket_, "third").ok());
}

TEST_F(PublishTest, ARestartDoesNotPublish) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes(Pattern(70'000, 2))).ok());
  handle->Release();  // the mount went, with the file open
  handle.reset();
  Reopen();
  EXPECT_FALSE(Seen("f"));
  EXPECT_EQ(SizeOf("f"), 70'000u);
  handle = OpenForWrite("f");
  ASSERT_TRUE(handle->Flush().ok());
  EXPECT_TRUE(Seen("f"));
}

TEST_F(PublishTest, ForS3AHiddenFileIsNotThere) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes("hidden")).ok());
  const auto deleted = objects().Delete(caller_, bucket_, "f");
  ASSERT_TRUE(deleted.ok());
  EXPECT_FALSE(deleted->existed);
  EXPECT_EQ(SizeOf("f"), 6u);
  CopyRequest copy;
  copy.source_bucket = copy.bucket = bucket_;
  copy.source_key = "f";
  copy.key = "copy";
  EXPECT_TRUE(objects().Copy(copy).Is(ErrorCode::kNotFound));
  // A PUT that must make the key makes it, in the name's place as ever.
  auto writer =
      objects().BeginPut({.bucket = bucket_, .key = "f", .declared_size = {}, .digests = {}});
  ASSERT_TRUE((*writer)->Append(Bytes("object")).ok());
  PutOptions options;
  options.conditions.if_none_match = {"*"};
  ASSERT_TRUE((*writer)->Commit(options).ok());
  EXPECT_EQ(*GetObject("f"), "object");
  ASSERT_TRUE(handle->Flush().ok());
  EXPECT_EQ(*GetObject("f"), "object");
}

TEST_F(PublishTest, UnnamedFilesAndNodesAndLive) {
  OpenOptions options;
  options.write = true;
  auto unnamed = files().CreateUnnamed(caller_, root_, 0644, options);
  ASSERT_TRUE(unnamed->handle->Write(0, Bytes("x")).ok());
  ASSERT_TRUE(files().Link(caller_, unnamed->attributes.inode, root_, "named").ok());
  EXPECT_FALSE(Seen("named"));
  ASSERT_TRUE(unnamed->handle->Flush().ok());
  EXPECT_TRUE(Seen("named"));
  NewNode node;
  ASSERT_TRUE(files().MakeNode(caller_, root_, "node", node).ok());
  EXPECT_TRUE(objects().Head(bucket_, "node").ok());
  Set(Publish::kLive);
  auto live = CreateFile("live");
  EXPECT_TRUE(objects().Head(bucket_, "live").ok());
  unnamed->handle->Release();
}

}  // namespace
}  // namespace amphora::fs
