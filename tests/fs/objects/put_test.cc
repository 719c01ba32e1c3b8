// PUT: what it puts in place of what, what it keeps, and what S3 and POSIX see of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "meta/base/failpoint.h"
#include "tests/fs/objects/object_fixture.h"

namespace amphora::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PutTest : public test::ObjectTest {
 protected:
  void TearDown() override {
    DisarmAllFailpoints();
    test::ObjectTest::TearDown();
  }
};

TEST_F(PutTest, AnswersTheMd5AsEtagAndKeepsMetadata) {
  PutOptions options;
  options.metadata.content_type = "text/plain";
  options.metadata.user = {{"color", "blue"}};
  const auto outcome = Put("key", "hello", options);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->info.etag, "5d41402abc4b2a76b9719d911017c592");
  const auto head = Head("key");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->etag, outcome->info.etag);
  EXPECT_EQ(head->size, 5u);
  EXPECT_EQ(head->metadata.content_type, "text/plain");
  ASSERT_EQ(head->metadata.user.size(), 1u);
  EXPECT_EQ(head->metadata.user[0].second, "blue");
  EXPECT_EQ(head->last_modified, outcome->info.last_modified);
}

TEST_F(PutTest, LargeContentGoesToABlobAndComesBack) {
  const std::string content(3 << 20, 'x');
  ASSERT_TRUE(Put("large", content).ok());
  EXPECT_EQ(GetObject("large").value(), content);
  Reopen();
  EXPECT_EQ(GetObject("large").value(), content);
  ASSERT_TRUE(Put("large", "small now").ok());
  EXPECT_EQ(GetObject("large").value(), "small now");
  EXPECT_EQ(Usage().bytes, 9u);
}

TEST_F(PutTest, BadKeysAreRefused) {
  EXPECT_TRUE(Put("", "x").Is(ErrorCode::kBadName));
  EXPECT_TRUE(Put(std::string(1025, 'k'), "x").Is(ErrorCode::kNameTooLong));
  EXPECT_TRUE(Put("\xff", "x").Is(ErrorCode::kBadName));
  EXPECT_TRUE(Put(std::string(1024, 'k'), "x").ok());
  EXPECT_THAT(Keys(), ElementsAre(std::string(1024, 'k')));
}

TEST_F(PutTest, AWrongDigestChangesNothing) {
  ASSERT_TRUE(Put("key", "old").ok());
  PutOptions options;
  options.expected[DigestKind::kMd5] = std::string(16, '\0');
  EXPECT_TRUE(Put("key", "new", options).Is(ErrorCode::kBadDigest));
  EXPECT_TRUE(Put("other/key", "new", options).Is(ErrorCode::kBadDigest));
  EXPECT_EQ(GetObject("key").value(), "old");
  EXPECT_FALSE(Exists("other"));
}

TEST_F(PutTest, TheChecksumThatWasAskedForIsKept) {
  PutOptions options;
  options.keep_checksum = DigestKind::kCrc32c;
  ASSERT_TRUE(Put("key", "123456789", options, {DigestKind::kCrc32c}).ok());
  const auto head = Head("key");
  ASSERT_TRUE(head.ok() && head->checksum);
  EXPECT_EQ(head->checksum->kind, DigestKind::kCrc32c);
  EXPECT_EQ(head->checksum->value, "\xe3\x06\x92\x83");
}

TEST_F(PutTest, ConditionsAreDecidedOnTheCurrentObject) {
  PutOptions only_new;
  only_new.conditions.if_none_match = {"*"};
  ASSERT_TRUE(Put("key", "1", only_new).ok());
  EXPECT_TRUE(Put("key", "2", only_new).Is(ErrorCode::kPreconditionFailed));
  PutOptions match;
  match.conditions.if_match = {Head("key")->etag};
  ASSERT_TRUE(Put("key", "2", match).ok());
  EXPECT_TRUE(Put("key", "3", match).Is(ErrorCode::kPreconditionFailed));
  EXPECT_TRUE(Put("missing", "3", match).Is(ErrorCode::kNotFound));
  EXPECT_EQ(GetObject("key").value(), "2");
  EXPECT_FALSE(Head("missing").ok());
}

TEST_F(PutTest, ConditionsSeeWhatAnOpenFileHoldsBack) {
  ASSERT_TRUE(Put("key", "from s3").ok());
  PutOptions match;
  match.conditions.if_match = {Head("key")->etag};
  const auto handle = Open(Find("key")->inode, true);
  ASSERT_TRUE(handle->Write(0, Bytes("posix")).ok());
  EXPECT_TRUE(Put("key", "stale", match).Is(ErrorCode::kPreconditionFailed));
  match.conditions.if_match = {Head("key")->etag};
  EXPECT_TRUE(Put("key", "fresh", match).ok());
  EXPECT_EQ(GetObject("key").value(), "fresh");
}

TEST_F(PutTest, KeepsOwnerGroupAndModeButNoSetuid) {
  const InodeId inode = WriteFile(root_, "tool", "#!/bin/sh");
  AttributeChange change;
  change.uid = 1000;
  change.gid = 100;
  change.permissions = 06755;
  ASSERT_TRUE(files().SetAttributes(caller_, inode, change, nullptr).ok());
  ASSERT_TRUE(files().SetXattr(caller_, inode, "user.note", "old", XattrMode::kCreate).ok());
  ASSERT_TRUE(files().SetXattr(caller_, inode, "trusted.label", "t", XattrMode::kCreate).ok());
  ASSERT_TRUE(
      files().SetXattr(caller_, inode, "security.capability", "c", XattrMode::kCreate).ok());
  ASSERT_TRUE(Put("tool", "#!/bin/bash").ok());
  const auto found = Find("tool");
  ASSERT_TRUE(found.ok());
  EXPECT_NE(found->inode, inode);
  EXPECT_EQ(found->uid, 1000u);
  EXPECT_EQ(found->gid, 100u);
  EXPECT_EQ(found->permissions, 0755u);
  EXPECT_THAT(files().ListXattrs(caller_, found->inode).value(), ElementsAre("trusted.label"));
}

TEST_F(PutTest, ReadersAndHandlesOpenedBeforeKeepTheOldFile) {
  const std::string old_content(1 << 20, 'o');
  for (const std::string& content : {std::string("small"), old_content}) {
    ASSERT_TRUE(Put("key", content).ok());
    auto reader = objects().Open(bucket_, "key");
    ASSERT_TRUE(reader.ok());
    const auto handle = Open(Find("key")->inode, false);
    ASSERT_TRUE(Put("key", "replaced").ok());
    EXPECT_EQ(GetObject("key").value(), "replaced");
    EXPECT_EQ(ReadAll(*handle, 2 << 20), content);
    EXPECT_EQ(handle->GetAttributes().links, 0u);
    std::string read(content.size(), '\0');
    ASSERT_TRUE((*reader)->Read(0, std::as_writable_bytes(std::span(read))).ok());
    EXPECT_EQ(read, content);
  }
}

TEST_F(PutTest, OfAHardLinkedNameOnlyThatNameChanges) {
  const InodeId inode = WriteFile(root_, "one", "shared");
  ASSERT_TRUE(files().Link(caller_, inode, root_, "two").ok());
  ASSERT_TRUE(Put("one", "alone").ok());
  EXPECT_EQ(GetObject("two").value(), "shared");
  EXPECT_EQ(Find("two")->inode, inode);
  EXPECT_EQ(Find("two")->links, 1u);
  EXPECT_EQ(Find("one")->links, 1u);
}

TEST_F(PutTest, ReplacesASymlinkAndNotItsTarget) {
  WriteFile(root_, "target", "kept");
  NewNode node;
  node.kind = FileKind::kSymlink;
  node.permissions = 0777;
  node.symlink_target = "target";
  ASSERT_TRUE(files().MakeNode(caller_, root_, "link", node).ok());
  ASSERT_TRUE(Put("link", "a file").ok());
  EXPECT_EQ(Find("link")->kind, FileKind::kRegular);
  EXPECT_EQ(Find("link")->permissions, 0644u);
  EXPECT_EQ(GetObject("target").value(), "kept");
}

TEST_F(PutTest, MissingDirectoriesAreMadeImplicitAndUnseen) {
  ASSERT_TRUE(Put("a/b/c", "x").ok());
  EXPECT_THAT(Keys(), ElementsAre("a/b/c"));
  EXPECT_EQ(Find("a/b")->kind, FileKind::kDirectory);
  EXPECT_EQ(Find("a/b")->permissions, 0755u);
  EXPECT_TRUE(Head("a/").Is(ErrorCode::kNotFound));
  EXPECT_TRUE(Head("a/b").Is(ErrorCode::kNotFound));
}

TEST_F(PutTest, WhatACallerMakesIsHis) {
  PutOptions options;
  options.caller.uid = 1000;
  options.caller.gid = 1001;
  ASSERT_TRUE(Put("dir/file", "x", options).ok());
  EXPECT_EQ(Find("dir/file")->uid, 1000u);
  EXPECT_EQ(Find("dir")->gid, 1001u);
}

TEST_F(PutTest, EveryKeyHasAPath) {
  const std::vector<std::string> keys = {"//", "/lead", "a/", "a/../c", "a/./b", "a//", "x//y"};
  for (const std::string& key : keys) ASSERT_TRUE(Put(key, "of " + key).ok()) << key;
  EXPECT_THAT(Keys(), ::testing::ElementsAreArray(keys));
  for (const std::string& key : keys) EXPECT_EQ(GetObject(key).value(), "of " + key);
  const auto x = Find("x");
  ASSERT_TRUE(x.ok());
  EXPECT_THAT(Names(x->inode), ElementsAre("@amphora@d:"));
  for (const std::string& key : keys) EXPECT_TRUE(Delete(key)) << key;
  EXPECT_THAT(Names(root_), IsEmpty());
}

TEST_F(PutTest, AFileBesideADirectoryIsHiddenUnderItsEscape) {
  ASSERT_TRUE(Put("a", "file").ok());
  const auto handle = Open(Find("a")->inode, false);
  ASSERT_TRUE(Put("a/b", "inside").ok());
  EXPECT_EQ(Find("a")->kind, FileKind::kDirectory);
  EXPECT_THAT(Names(root_), ElementsAre("@amphora@f:a", "a"));
  EXPECT_EQ(ReadFile(root_, "@amphora@f:a").value(), "file");
  EXPECT_EQ(ReadAll(*handle), "file");
  EXPECT_THAT(Keys(), ElementsAre("a", "a/b"));
  ASSERT_TRUE(Put("a", "changed").ok());
  EXPECT_EQ(ReadFile(root_, "@amphora@f:a").value(), "changed");
  EXPECT_TRUE(Delete("a/b"));
  EXPECT_EQ(ReadFile(root_, "a").value(), "changed");
}

TEST_F(PutTest, AZeroByteDirectoryKeyMakesTheDirectoryExplicit) {
  ASSERT_TRUE(Put("dir/file", "x").ok());
  const InodeId inode = Find("dir")->inode;
  PutOptions options;
  options.metadata.user = {{"k", "v"}};
  ASSERT_TRUE(Put("dir/", "", options).ok());
  EXPECT_EQ(Find("dir")->inode, inode);
  EXPECT_THAT(Keys(), ElementsAre("dir/", "dir/file"));
  const auto head = Head("dir/");
  ASSERT_TRUE(head.ok());
  EXPECT_TRUE(head->directory);
  EXPECT_EQ(head->size, 0u);
  EXPECT_EQ(head->etag, test::kMd5OfNothing);
  EXPECT_EQ(head->metadata.content_type, "application/x-directory");
  ASSERT_EQ(head->metadata.user.size(), 1u);
  EXPECT_TRUE(Delete("dir/file"));
  EXPECT_TRUE(Exists("dir"));
}

TEST_F(PutTest, ContentOfADirectoryKeyIsAFileWithTheEmptyName) {
  ASSERT_TRUE(Put("dir/", "content").ok());
  EXPECT_EQ(GetObject("dir/").value(), "content");
  EXPECT_THAT(Keys(), ElementsAre("dir/"));
  const InodeId directory = Find("dir")->inode;
  EXPECT_THAT(Names(directory), ElementsAre("@amphora@f:"));
  EXPECT_EQ(ReadFile(directory, "@amphora@f:").value(), "content");
  ASSERT_TRUE(Put("dir/", "other").ok());
  EXPECT_EQ(GetObject("dir/").value(), "other");
  ASSERT_TRUE(Put("dir/", "").ok());
  EXPECT_EQ(GetObject("dir/").value(), "");
  EXPECT_THAT(Names(directory), IsEmpty());
  EXPECT_EQ(Find("dir")->inode, directory);
  EXPECT_EQ(Usage().objects, 0u);
}

TEST_F(PutTest, ConditionsOnADirectoryKey) {
  PutOptions only_new;
  only_new.conditions.if_none_match = {"*"};
  ASSERT_TRUE(Put("dir/file", "x").ok());
  ASSERT_TRUE(Put("dir/", "", only_new).ok());
  EXPECT_TRUE(Put("dir/", "", only_new).Is(ErrorCode::kPreconditionFailed));
  EXPECT_TRUE(Put("dir/", "content", only_new).Is(ErrorCode::kPreconditionFailed));
  PutOptions match;
  match.conditions.if_match = {std::string(test::kMd5OfNothing)};
  ASSERT_TRUE(Put("dir/", "content", match).ok());
  EXPECT_TRUE(Put("dir/", "", match).Is(ErrorCode::kPreconditionFailed));
}

TEST_F(PutTest, APutThatFailsLeavesNothing) {
  ASSERT_TRUE(ArmFailpoint("fs.put.before_commit", "fail"));
  EXPECT_FALSE(Put("a/b", "x").ok());
  EXPECT_FALSE(Put("a/large", std::string(1 << 20, 'x')).ok());
  EXPECT_FALSE(Put("dir/", "").ok());
  DisarmAllFailpoints();
  EXPECT_THAT(Keys(), IsEmpty());
  EXPECT_THAT(Names(root_), IsEmpty());
  EXPECT_EQ(Usage().bytes, 0u);
}

TEST_F(PutTest, APutThatIsCutLeavesNothing) {
  BeginPutRequest request;
  request.bucket = bucket_;
  request.key = "cut";
  {
    auto writer = objects().BeginPut(request);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->Append(Bytes(std::string(1 << 20, 'x'))).ok());
  }
  EXPECT_TRUE(Head("cut").Is(ErrorCode::kNotFound));
}

TEST_F(PutTest, AWriterCommitsOnce) {
  auto writer = objects().BeginPut({bucket_, "once", std::nullopt, {}});
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Commit({}).ok());
  EXPECT_TRUE((*writer)->Commit({}).Is(ErrorCode::kInvalidArgument));
}

TEST_F(PutTest, CountsFilesAndBytes) {
  ASSERT_TRUE(Put("a", "12345").ok());
  ASSERT_TRUE(Put("d/b", "123").ok());
  EXPECT_EQ(Usage().objects, 2u);
  EXPECT_EQ(Usage().bytes, 8u);
  ASSERT_TRUE(Put("a", "1").ok());
  EXPECT_EQ(Usage().bytes, 4u);
  EXPECT_TRUE(Delete("d/b"));
  EXPECT_EQ(Usage().objects, 1u);
  EXPECT_EQ(Usage().bytes, 1u);
}

TEST_F(PutTest, IntoADeletedBucketIsRefused) {
  const auto other = engine_->buckets().CreateBucket(caller_, "tester", "s3v", "other");
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(engine_->buckets().DeleteBucket("s3v", "other").ok());
  bucket_ = other->info.id;
  EXPECT_TRUE(Put("key", "x").Is(ErrorCode::kNoSuchBucket));
  EXPECT_TRUE(Put("a/b/key", "x").Is(ErrorCode::kNoSuchBucket));
  EXPECT_TRUE(Put("a/", "").Is(ErrorCode::kNoSuchBucket));
}

}  // namespace
}  // namespace amphora::fs
