// DELETE, and the directories that vanish with their last key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "meta/base/failpoint.h"
#include "tests/fs/objects/object_fixture.h"

namespace amphora::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DeleteTest : public test::ObjectTest {
 protected:
  void TearDown() override {
    DisarmAllFailpoints();
    test::ObjectTest::TearDown();
  }
};

TEST_F(DeleteTest, OfWhatIsNotThereSucceedsAndSaysSo) {
  ASSERT_TRUE(Put("a/b", "x").ok());
  for (const char* key : {"none", "a", "a/", "a/b/", "a/c", "a/b/c"}) {
    EXPECT_FALSE(Delete(key)) << key;
  }
  EXPECT_TRUE(objects().Delete(caller_, bucket_, "").Is(ErrorCode::kBadName));
  EXPECT_THAT(Keys(), ElementsAre("a/b"));
}

TEST_F(DeleteTest, TheLastKeyTakesItsImplicitDirectoriesAlong) {
  ASSERT_TRUE(Put("a/b/c/key", "x").ok());
  ASSERT_TRUE(Put("a/other", "x").ok());
  EXPECT_TRUE(Delete("a/b/c/key"));
  EXPECT_FALSE(Exists("a/b"));
  EXPECT_TRUE(Exists("a"));
  EXPECT_TRUE(Delete("a/other"));
  EXPECT_FALSE(Exists("a"));
  EXPECT_THAT(Names(root_), IsEmpty());
}

TEST_F(DeleteTest, ExplicitDirectoriesStay) {
  Mkdir(root_, "made");
  ASSERT_TRUE(Put("made/sub/key", "x").ok());
  EXPECT_TRUE(Delete("made/sub/key"));
  EXPECT_FALSE(Exists("made/sub"));
  EXPECT_THAT(Keys(), ElementsAre("made/"));
}

TEST_F(DeleteTest, APosixChangeInsideMakesADirectoryStay) {
  ASSERT_TRUE(Put("a/key", "x").ok());
  const InodeId a = Find("a")->inode;
  WriteFile(a, "note", "y");
  ASSERT_TRUE(files().Unlink(caller_, a, "note").ok());
  EXPECT_THAT(Keys(), ElementsAre("a/", "a/key"));
  EXPECT_TRUE(Delete("a/key"));
  EXPECT_THAT(Keys(), ElementsAre("a/"));
  ASSERT_TRUE(Put("b/key", "x").ok());
  AttributeChange change;
  change.permissions = 0700;
  ASSERT_TRUE(files().SetAttributes(caller_, Find("b")->inode, change, nullptr).ok());
  EXPECT_TRUE(Delete("b/key"));
  EXPECT_TRUE(Exists("b"));
}

TEST_F(DeleteTest, OfADirectoryKeyWithChildrenMakesItImplicit) {
  const InodeId made = Mkdir(root_, "made");
  ASSERT_TRUE(Put("made/key", "x").ok());
  EXPECT_TRUE(Delete("made/"));
  EXPECT_FALSE(Delete("made/"));
  EXPECT_THAT(Keys(), ElementsAre("made/key"));
  EXPECT_EQ(Find("made")->inode, made);
  EXPECT_TRUE(Delete("made/key"));
  EXPECT_FALSE(Exists("made"));
}

TEST_F(DeleteTest, OfAnEmptyDirectoryKeyRemovesTheDirectory) {
  Mkdir(root_, "made");
  EXPECT_TRUE(Delete("made/"));
  EXPECT_FALSE(Exists("made"));
  ASSERT_TRUE(Put("p/q/", "content").ok());
  EXPECT_TRUE(Delete("p/q/"));
  EXPECT_THAT(Names(root_), IsEmpty());
}

TEST_F(DeleteTest, OfADirectoryKeyDropsItsContent) {
  ASSERT_TRUE(Put("d/", "content").ok());
  ASSERT_TRUE(Put("d/key", "x").ok());
  EXPECT_TRUE(Delete("d/"));
  EXPECT_TRUE(Head("d/").Is(ErrorCode::kNotFound));
  EXPECT_THAT(Keys(), ElementsAre("d/key"));
}

TEST_F(DeleteTest, OfAFileLeavesTheDirectoryOfTheSameName) {
  ASSERT_TRUE(Put("a", "file").ok());
  ASSERT_TRUE(Put("a/b", "inside").ok());
  EXPECT_TRUE(Delete("a"));
  EXPECT_THAT(Keys(), ElementsAre("a/b"));
  EXPECT_THAT(Names(root_), ElementsAre("a"));
}

// An rmdir for who holds it: no link, empty, nothing can be made in it, and a new one is another.
TEST_F(DeleteTest, AVanishedDirectoryIsLikeARemovedOne) {
  ASSERT_TRUE(Put("dir/key", "x").ok());
  const InodeId old = Find("dir")->inode;
  EXPECT_TRUE(Delete("dir/key"));
  NewNode node;
  EXPECT_FALSE(files().MakeNode(caller_, old, "new", node).ok());
  EXPECT_THAT(Names(old), IsEmpty());
  ASSERT_TRUE(Put("dir/key", "y").ok());
  EXPECT_NE(Find("dir")->inode, old);
}

TEST_F(DeleteTest, OpenHandlesKeepADeletedFile) {
  ASSERT_TRUE(Put("dir/key", "content").ok());
  const auto handle = Open(Find("dir/key")->inode, true);
  EXPECT_TRUE(Delete("dir/key"));
  EXPECT_EQ(ReadAll(*handle), "content");
  ASSERT_TRUE(handle->Write(7, Bytes(" more")).ok());
  EXPECT_EQ(ReadAll(*handle), "content more");
  EXPECT_EQ(Usage().bytes, 0u);
  ExpectConsistent();
  handle->Release();
  EXPECT_EQ(Usage().bytes, 0u);
}

TEST_F(DeleteTest, ManyKeysAtOnce) {
  std::vector<DeleteManyItem> items;
  for (int i = 0; i < 250; ++i) {
    const std::string key = "d" + std::to_string(i % 7) + "/k" + std::to_string(i);
    ASSERT_TRUE(Put(key, "x").ok());
    items.push_back({key, {}, std::nullopt});
  }
  items.push_back({"missing", {}, std::nullopt});
  items.push_back({items[3].key, {}, std::nullopt});
  items.push_back({"", {}, std::nullopt});
  const auto ticket = objects().DeleteMany(caller_, bucket_, items);
  ASSERT_TRUE(ticket.ok());
  EXPECT_GT(*ticket, 0u);
  for (std::size_t i = 0; i + 1 < items.size(); ++i) EXPECT_FALSE(items[i].error) << i;
  ASSERT_TRUE(items.back().error);
  EXPECT_EQ(items.back().error->code(), ErrorCode::kBadName);
  EXPECT_THAT(Names(root_), IsEmpty());
  EXPECT_EQ(Usage().objects, 0u);
}

TEST_F(DeleteTest, KeysLongerThanAPutMayMakeCanBeListedReadAndDeleted) {
  InodeId at = root_;
  std::string key;
  const std::string name(200, 'n');
  for (int i = 0; i < 6; ++i) {
    at = Mkdir(at, name);
    key += name + "/";
  }
  WriteFile(at, "file", "deep");
  key += "file";
  ASSERT_GT(key.size(), kMaxKeyBytes);
  EXPECT_EQ(GetObject(key).value(), "deep");
  EXPECT_EQ(List("", "").objects.back().key, key);
  EXPECT_TRUE(Put(key, "x").Is(ErrorCode::kNameTooLong));
  EXPECT_TRUE(Delete(key));
}

TEST_F(DeleteTest, AFailureBeforeTheCommitChangesNothing) {
  ASSERT_TRUE(Put("a/key", "x").ok());
  ASSERT_TRUE(ArmFailpoint("fs.delete.before_commit", "fail"));
  EXPECT_FALSE(objects().Delete(caller_, bucket_, "a/key").ok());
  DisarmAllFailpoints();
  EXPECT_EQ(GetObject("a/key").value(), "x");
}

// The vanishing that a crash cut off is done by the next start.
TEST_F(DeleteTest, WhatWasToVanishVanishesAtTheNextStart) {
  ASSERT_TRUE(Put("a/b/key", "x").ok());
  ASSERT_TRUE(ArmFailpoint("fs.delete.after_commit", "fail"));
  EXPECT_FALSE(objects().Delete(caller_, bucket_, "a/b/key").ok());
  DisarmAllFailpoints();
  EXPECT_TRUE(Exists("a/b"));
  ExpectConsistent();
  Reopen();
  EXPECT_FALSE(Exists("a"));
}

}  // namespace
}  // namespace amphora::fs
