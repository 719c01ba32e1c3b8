// Directories that are removed while a kernel holds them: what fstat, fchmod and fsetxattr of such
// a working directory answer, and that nothing of it stays in the store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "fs/removed_directories.h"
#include "tests/support/engine_fixture.h"

namespace amphora::fs {
namespace {

class NoKernel final : public ChangeSink {
 public:
  void OnChanges(const std::vector<Change>&) override {}
  void Fence(std::function<void()> done) override { done(); }
};

class RemovedDirectoriesTest : public test::EngineTest {
 protected:
  void SetUp() override {
    test::EngineTest::SetUp();
    mounted_ = caller_;
    mounted_.origin = engine_->AddSink(&kernel_);
  }
  void TearDown() override {
    engine_->RemoveSink(mounted_.origin);
    test::EngineTest::TearDown();
  }

  NoKernel kernel_;
  Caller mounted_;
};

TEST_F(RemovedDirectoriesTest, IsShownWithoutLinksUntilItsKernelForgetsIt) {
  const InodeId dir = Mkdir(root_, "dir");
  AttributeChange change;
  change.permissions = 0700;
  change.modified = Time(1'000'000'007);
  ASSERT_TRUE(files().SetAttributes(mounted_, dir, change, nullptr).ok());
  ASSERT_TRUE(files().RemoveDirectory(mounted_, root_, "dir").ok());
  const auto held = files().GetAttributes(dir);
  ASSERT_TRUE(held.ok()) << held.error().ToString();
  EXPECT_EQ(held->links, 0u);
  EXPECT_EQ(held->kind, FileKind::kDirectory);
  EXPECT_EQ(held->permissions, 0700u);
  EXPECT_EQ(held->modified, Time(1'000'000'007));
  EXPECT_TRUE(files().ReadDirectory({.directory = dir}).value().empty());
  EXPECT_TRUE(files().MakeNode(mounted_, dir, "new", {}).Is(ErrorCode::kNotFound));
  EXPECT_TRUE(files().GetXattr(dir, "user.none").Is(ErrorCode::kNoAttribute));
  EXPECT_TRUE(files().ListXattrs(caller_, dir).value().empty());
  EXPECT_EQ(files().ParentOf(dir).value(), root_);
  files().Forget(mounted_.origin, dir);
  EXPECT_TRUE(files().GetAttributes(dir).Is(ErrorCode::kStale));
}

TEST_F(RemovedDirectoriesTest, CanStillBeChangedByWhoHoldsIt) {
  const InodeId dir = Mkdir(root_, "dir");
  ASSERT_TRUE(files().RemoveDirectory(mounted_, root_, "dir").ok());
  AttributeChange change;
  change.permissions = 0711;
  const auto changed = files().SetAttributes(mounted_, dir, change, nullptr);
  ASSERT_TRUE(changed.ok()) << changed.error().ToString();
  EXPECT_EQ(changed->permissions, 0711u);
  EXPECT_EQ(changed->links, 0u);
  ASSERT_TRUE(files().SetXattr(mounted_, dir, "user.a", "b", XattrMode::kCreateOrReplace).ok());
  EXPECT_EQ(files().GetXattr(dir, "user.a").value(), "b");
  EXPECT_TRUE(files().MakeNode(mounted_, dir, "new", {}).Is(ErrorCode::kNotFound));
  files().Forget(mounted_.origin, dir);
  EXPECT_TRUE(files().GetAttributes(dir).Is(ErrorCode::kStale));
}

TEST_F(RemovedDirectoriesTest, KeepsItsXattrsWhileItIsHeld) {
  const InodeId dir = Mkdir(root_, "dir");
  ASSERT_TRUE(files().SetXattr(mounted_, dir, "user.a", "b", XattrMode::kCreateOrReplace).ok());
  ASSERT_TRUE(files().RemoveDirectory(mounted_, root_, "dir").ok());
  EXPECT_EQ(files().GetXattr(dir, "user.a").value(), "b");
  EXPECT_EQ(files().GetAttributes(dir)->links, 0u);
  files().Forget(mounted_.origin, dir);
  EXPECT_TRUE(files().GetAttributes(dir).Is(ErrorCode::kStale));
}

TEST_F(RemovedDirectoriesTest, WhatS3MadeVanishStaysValidForAMountThatHoldsIt) {
  ASSERT_TRUE(PutObject("dir/key", "x").ok());
  const InodeId dir = files().Lookup(root_, "dir")->inode;
  ASSERT_TRUE(objects().Delete(caller_, bucket_, "dir/key").ok());
  EXPECT_TRUE(files().Lookup(root_, "dir").Is(ErrorCode::kNotFound));
  const auto held = files().GetAttributes(dir);
  ASSERT_TRUE(held.ok()) << held.error().ToString();
  EXPECT_EQ(held->links, 0u);
  AttributeChange change;
  change.permissions = 0711;
  EXPECT_TRUE(files().SetAttributes(mounted_, dir, change, nullptr).ok());
}

TEST_F(RemovedDirectoriesTest, OneThatARenameReplacedIsHeldToo) {
  const InodeId old = Mkdir(root_, "old");
  const InodeId moved = Mkdir(root_, "moved");
  RenameRequest request;
  request.from_parent = request.to_parent = root_;
  request.from_name = "moved";
  request.to_name = "old";
  ASSERT_TRUE(files().Rename(mounted_, request).ok());
  EXPECT_EQ(files().Lookup(root_, "old")->inode, moved);
  EXPECT_EQ(files().GetAttributes(old)->links, 0u);
}

TEST_F(RemovedDirectoriesTest, OneThatCouldNotBeRemovedIsAsItWas) {
  const InodeId dir = Mkdir(root_, "dir");
  WriteFile(dir, "file", "");
  EXPECT_TRUE(files().RemoveDirectory(mounted_, root_, "dir").Is(ErrorCode::kNotEmpty));
  EXPECT_EQ(files().GetAttributes(dir)->links, 2u);
}

TEST_F(RemovedDirectoriesTest, UnmountingForgetsAll) {
  const InodeId dir = Mkdir(root_, "dir");
  ASSERT_TRUE(files().RemoveDirectory(mounted_, root_, "dir").ok());
  engine_->RemoveSink(mounted_.origin);
  EXPECT_TRUE(files().GetAttributes(dir).Is(ErrorCode::kStale));
}

TEST(RemovedDirectoriesTableTest, OfThoseThatNobodySurelyHoldsTheNewestAreKept) {
  RemovedDirectories table;
  const OriginId mount(7);
  table.Add(InodeId(1), {}, mount);
  for (std::uint64_t i = 0; i <= RemovedDirectories::kMostUnsure; ++i) {
    table.Add(InodeId(100 + i), {}, OriginId());
  }
  EXPECT_FALSE(table.Find(InodeId(100)));
  EXPECT_TRUE(table.Find(InodeId(101)));
  EXPECT_TRUE(table.Find(InodeId(1)));
  table.Forget(OriginId(8), InodeId(1), false);
  EXPECT_TRUE(table.Find(InodeId(1)));
  table.Forget(mount, InodeId(1), true);
  EXPECT_TRUE(table.Find(InodeId(1)));
  EXPECT_FALSE(table.Find(InodeId(101)));
  EXPECT_FALSE(table.Take(InodeId(1)).valid());
  EXPECT_FALSE(table.Find(InodeId(1)));
}

}  // namespace
}  // namespace amphora::fs
