// The POSIX face on a real engine: names, attributes, rename, links, directories, xattrs; and what
// S3 sees of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>
#include <thread>

#include "tests/support/engine_fixture.h"

namespace amphora::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FilesTest : public test::EngineTest {};

TEST_F(FilesTest, WhatIsWrittenIsReadOnBothFaces) {
  WriteFile(root_, "hello", "world");
  EXPECT_EQ(ReadFile(root_, "hello").value(), "world");
  EXPECT_EQ(GetObject("hello").value(), "world");
  EXPECT_THAT(Keys(), ElementsAre("hello"));
  ASSERT_TRUE(PutObject("dir/inside", "from s3").ok());
  const auto dir = files().Lookup(root_, "dir");
  ASSERT_TRUE(dir.ok());
  EXPECT_EQ(dir->kind, FileKind::kDirectory);
  EXPECT_EQ(ReadFile(dir->inode, "inside").value(), "from s3");
}

TEST_F(FilesTest, LookupOfAMissingNameIsNotFound) {
  EXPECT_TRUE(files().Lookup(root_, "none").Is(ErrorCode::kNotFound));
  EXPECT_TRUE(files().Lookup(root_, "@amphora@bad").Is(ErrorCode::kNotFound));
}

TEST_F(FilesTest, LookupOfANameBeyondTheLimitIsTooLongUnlessAPutMadeIt) {
  const std::string longest(kMaxNameBytes, 'n');
  EXPECT_TRUE(files().Lookup(root_, longest).Is(ErrorCode::kNotFound));
  EXPECT_TRUE(files().Lookup(root_, longest + "n").Is(ErrorCode::kNameTooLong));
  ASSERT_TRUE(PutObject(longest + "n", "").ok());
  EXPECT_TRUE(files().Lookup(root_, longest + "n").ok());
}

class Kernel final : public ChangeSink {
 public:
  void OnChanges(const std::vector<Change>&) override {}
  void Fence(std::function<void()> done) override { done(); }
};

TEST_F(FilesTest, WhoLookedANameUpBeforeARenameOverItOpensTheOldFile) {
  Kernel kernel;
  Caller caller = caller_;
  caller.origin = engine_->AddSink(&kernel);
  const InodeId old = WriteFile(root_, "name", "old");
  WriteFile(root_, "fresh", "new");
  ASSERT_TRUE(
      files()
          .Rename(
              caller,
              {.from_parent = root_, .from_name = "fresh", .to_parent = root_, .to_name = "name"})
          .ok());
  auto opened = files().Open(caller, old, {});
  ASSERT_TRUE(opened.ok()) << "a name that is always there never answers that it is not";
  char bytes[8];
  EXPECT_EQ(opened->handle->Read(0, std::as_writable_bytes(std::span(bytes))).value(), 3u);
  EXPECT_EQ(std::string(bytes, 3), "old");
  opened->handle.reset();
  files().Forget(caller.origin, old);
  EXPECT_TRUE(files().Open(caller, old, {}).Is(ErrorCode::kStale)) << "look the name up again";
  AttributeChange change;
  change.size = 0;
  EXPECT_TRUE(files().SetAttributes(caller, old, change, nullptr).Is(ErrorCode::kStale));
  engine_->RemoveSink(caller.origin);
}

TEST_F(FilesTest, ARemovedFifoLivesUntilTheKernelForgetsIt) {
  Kernel kernel;
  Caller caller = caller_;
  caller.origin = engine_->AddSink(&kernel);
  NewNode fifo;
  fifo.kind = FileKind::kFifo;
  const auto made = files().MakeNode(caller, root_, "fifo", fifo);
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(files().Unlink(caller, root_, "fifo").ok());
  EXPECT_EQ(files().GetAttributes(made->inode)->links, 0u) << "somebody may have it open";
  files().Forget(caller.origin, made->inode);
  EXPECT_TRUE(files().GetAttributes(made->inode).Is(ErrorCode::kStale));
  engine_->RemoveSink(caller.origin);
}

TEST_F(FilesTest, MakeNodeRefusesTakenNames) {
  Mkdir(root_, "d");
  WriteFile(root_, "f", "");
  NewNode directory;
  directory.kind = FileKind::kDirectory;
  EXPECT_TRUE(files().MakeNode(caller_, root_, "d", directory).Is(ErrorCode::kExists));
  EXPECT_TRUE(files().MakeNode(caller_, root_, "f", directory).Is(ErrorCode::kExists));
  EXPECT_TRUE(files().MakeNode(caller_, root_, "d", {}).Is(ErrorCode::kExists));
  const std::string long_name(256, 'n');
  EXPECT_TRUE(files().MakeNode(caller_, root_, long_name, {}).Is(ErrorCode::kNameTooLong));
  EXPECT_TRUE(files().MakeNode(caller_, root_, "@amphora@x", {}).Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(files().MakeNode(caller_, kStoreRoot, "v", directory).Is(ErrorCode::kNotPermitted));
}

TEST_F(FilesTest, DirectoriesCountTheirSubdirectories) {
  const InodeId top = Mkdir(root_, "top");
  EXPECT_EQ(files().GetAttributes(top)->links, 2u);
  Mkdir(top, "one");
  Mkdir(top, "two");
  WriteFile(top, "file", "");
  EXPECT_EQ(files().GetAttributes(top)->links, 4u);
  ASSERT_TRUE(files().RemoveDirectory(caller_, top, "one").ok());
  EXPECT_EQ(files().GetAttributes(top)->links, 3u);
}

TEST_F(FilesTest, SetgidDirectoriesHandDownTheirGroup) {
  const InodeId top = Mkdir(root_, "top");
  AttributeChange change;
  change.permissions = 02775;
  change.gid = 77;
  ASSERT_TRUE(files().SetAttributes(caller_, top, change, nullptr).ok());
  Caller user;
  user.uid = 1000;
  user.gid = 1000;
  NewNode node;
  node.kind = FileKind::kDirectory;
  node.permissions = 0755;
  const auto made = files().MakeNode(user, top, "sub", node);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->gid, 77u);
  EXPECT_EQ(made->uid, 1000u);
  EXPECT_EQ(made->permissions, 02755u);
}

TEST_F(FilesTest, TimesOfADirectoryFollowTheLastWriter) {
  const InodeId top = Mkdir(root_, "top");
  AttributeChange change;
  change.modified = Time(4'000'000'000'000'000'000);
  ASSERT_TRUE(files().SetAttributes(caller_, top, change, nullptr).ok());
  EXPECT_EQ(files().GetAttributes(top)->modified, *change.modified);
  WriteFile(top, "f", "");
  EXPECT_LT(files().GetAttributes(top)->modified, *change.modified);
}

TEST_F(FilesTest, RenameReplacesAFile) {
  const InodeId a = WriteFile(root_, "a", "new");
  WriteFile(root_, "b", "old");
  ASSERT_TRUE(RenameName(root_, "a", root_, "b").ok());
  EXPECT_EQ(files().Lookup(root_, "b")->inode, a);
  EXPECT_TRUE(files().Lookup(root_, "a").Is(ErrorCode::kNotFound));
  EXPECT_EQ(GetObject("b").value(), "new");
  EXPECT_THAT(Keys(), ElementsAre("b"));
}

TEST_F(FilesTest, RenameFollowsPosixBetweenKinds) {
  Mkdir(root_, "d");
  const InodeId full = Mkdir(root_, "full");
  WriteFile(full, "x", "");
  WriteFile(root_, "f", "");
  EXPECT_TRUE(RenameName(root_, "f", root_, "d").Is(ErrorCode::kIsDirectory));
  EXPECT_TRUE(RenameName(root_, "d", root_, "f").Is(ErrorCode::kNotDirectory));
  EXPECT_TRUE(RenameName(root_, "d", root_, "full").Is(ErrorCode::kNotEmpty));
  EXPECT_TRUE(RenameName(root_, "full", full, "inside").Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(RenameName(root_, "none", root_, "f").Is(ErrorCode::kNotFound));
  EXPECT_TRUE(RenameName(root_, "f", root_, "d", RenameMode::kNoReplace).Is(ErrorCode::kExists));
  EXPECT_TRUE(RenameName(root_, "full", root_, "d").ok());
  EXPECT_THAT(Names(root_), ElementsAre("d", "f"));
}

TEST_F(FilesTest, RenameToAnotherNameOfTheSameInodeDoesNothing) {
  const InodeId a = WriteFile(root_, "a", "x");
  ASSERT_TRUE(files().Link(caller_, a, root_, "b").ok());
  ASSERT_TRUE(RenameName(root_, "a", root_, "b").ok());
  EXPECT_THAT(Names(root_), ElementsAre("a", "b"));
}

TEST_F(FilesTest, ExchangeSwapsAcrossKindsAndDirectories) {
  const InodeId d = Mkdir(root_, "d");
  WriteFile(d, "x", "in d");
  const InodeId f = WriteFile(root_, "f", "file");
  ASSERT_TRUE(RenameName(root_, "d", root_, "f", RenameMode::kExchange).ok());
  EXPECT_EQ(files().Lookup(root_, "f")->inode, d);
  EXPECT_EQ(files().Lookup(root_, "d")->inode, f);
  EXPECT_THAT(Keys(), ElementsAre("d", "f/", "f/x"));
  EXPECT_TRUE(
      RenameName(root_, "d", root_, "none", RenameMode::kExchange).Is(ErrorCode::kNotFound));
}

TEST_F(FilesTest, RenameOfADirectoryMovesEveryKeyBelowIt) {
  ASSERT_TRUE(PutObject("old/deep/key", "v").ok());
  ASSERT_TRUE(RenameName(root_, "old", root_, "new").ok());
  EXPECT_EQ(GetObject("new/deep/key").value(), "v");
  EXPECT_TRUE(GetObject("old/deep/key").Is(ErrorCode::kNotFound));
  EXPECT_THAT(Keys(), ElementsAre("new/", "new/deep/key"));
}

TEST_F(FilesTest, RenameAcrossBucketsIsRefused) {
  const auto other = engine_->buckets().CreateBucket(caller_, "tester", "s3v", "other");
  ASSERT_TRUE(other.ok());
  const InodeId f = WriteFile(root_, "f", "");
  const InodeId there(other->info.id.value());
  EXPECT_TRUE(RenameName(root_, "f", there, "f").Is(ErrorCode::kCrossBucket));
  EXPECT_TRUE(files().Link(caller_, f, there, "f").Is(ErrorCode::kCrossBucket));
}

TEST_F(FilesTest, AFileBesideADirectoryIsShownUnderItsEscape) {
  WriteFile(root_, "a", "file");
  ASSERT_TRUE(PutObject("a/b", "below").ok());
  EXPECT_THAT(Names(root_), ElementsAre("@amphora@f:a", "a"));
  EXPECT_EQ(files().Lookup(root_, "a")->kind, FileKind::kDirectory);
  EXPECT_EQ(ReadFile(root_, "@amphora@f:a").value(), "file");
  EXPECT_EQ(GetObject("a").value(), "file");
  EXPECT_THAT(Keys(), ElementsAre("a", "a/b"));
  // Without the directory the file has its plain name again; the escape goes on working.
  const InodeId directory = files().Lookup(root_, "a")->inode;
  ASSERT_TRUE(files().Unlink(caller_, directory, "b").ok());
  ASSERT_TRUE(files().RemoveDirectory(caller_, root_, "a").ok());
  EXPECT_THAT(Names(root_), ElementsAre("a"));
  EXPECT_EQ(ReadFile(root_, "a").value(), "file");
  EXPECT_EQ(ReadFile(root_, "@amphora@f:a").value(), "file");
}

TEST_F(FilesTest, PosixDecidesOnTheVisibleName) {
  WriteFile(root_, "a", "file");
  ASSERT_TRUE(PutObject("a/b", "below").ok());
  WriteFile(root_, "c", "c");
  EXPECT_TRUE(RenameName(root_, "c", root_, "a").Is(ErrorCode::kIsDirectory));
  ASSERT_TRUE(RenameName(root_, "c", root_, "@amphora@f:a").ok());
  EXPECT_EQ(GetObject("a").value(), "c");
  Mkdir(root_, "empty");
  EXPECT_TRUE(RenameName(root_, "empty", root_, "a").Is(ErrorCode::kNotEmpty));
  ASSERT_TRUE(RenameName(root_, "a", root_, "moved").ok());  // the directory alone
  EXPECT_THAT(Keys(), ElementsAre("a", "empty/", "moved/", "moved/b"));
}

TEST_F(FilesTest, KeysThatPosixCannotNameAreReachable) {
  ASSERT_TRUE(PutObject("x//y", "1").ok());
  ASSERT_TRUE(PutObject("./..", "2").ok());
  ASSERT_TRUE(PutObject("dir/", "content").ok());
  EXPECT_THAT(Names(root_), ElementsAre("@amphora@d:.", "dir", "x"));
  const InodeId x = files().Lookup(root_, "x")->inode;
  EXPECT_THAT(Names(x), ElementsAre("@amphora@d:"));
  const InodeId empty = files().Lookup(x, "@amphora@d:")->inode;
  EXPECT_EQ(ReadFile(empty, "y").value(), "1");
  const InodeId dot = files().Lookup(root_, "@amphora@d:.")->inode;
  EXPECT_EQ(ReadFile(dot, "@amphora@f:..").value(), "2");
  const InodeId dir = files().Lookup(root_, "dir")->inode;
  EXPECT_EQ(ReadFile(dir, "@amphora@f:").value(), "content");
  EXPECT_EQ(files().GetXattr(files().Lookup(empty, "y")->inode, "user.s3.key").value(), "x//y");
  EXPECT_EQ(files().GetXattr(dir, "user.s3.key").value(), "dir/");
}

TEST_F(FilesTest, PosixChangesMakeImplicitDirectoriesExplicit) {
  ASSERT_TRUE(PutObject("i/k", "").ok());
  EXPECT_THAT(Keys(), ElementsAre("i/k"));
  const InodeId i = files().Lookup(root_, "i")->inode;
  WriteFile(i, "posix", "");
  EXPECT_THAT(Keys(), ElementsAre("i/", "i/k", "i/posix"));
  ASSERT_TRUE(files().Unlink(caller_, i, "posix").ok());
  ASSERT_TRUE(objects().Delete(caller_, bucket_, "i/k").ok());
  EXPECT_THAT(Keys(), ElementsAre("i/"));
  EXPECT_TRUE(files().Lookup(root_, "i").ok());
}

TEST_F(FilesTest, ImplicitDirectoriesVanishWithTheirLastKey) {
  ASSERT_TRUE(PutObject("a/b/c/d", "").ok());
  ASSERT_TRUE(PutObject("a/other", "").ok());
  const InodeId a = files().Lookup(root_, "a")->inode;
  const InodeId b = files().Lookup(a, "b")->inode;
  ASSERT_TRUE(objects().Delete(caller_, bucket_, "a/b/c/d").ok());
  EXPECT_TRUE(files().Lookup(a, "b").Is(ErrorCode::kNotFound));
  EXPECT_THAT(Names(a), ElementsAre("other"));
  // It is an rmdir: creation in it fails.
  EXPECT_TRUE(files().MakeNode(caller_, b, "late", {}).Is(ErrorCode::kNotFound));
}

TEST_F(FilesTest, PositionsSurviveRemovalOfTheEntryTheyName) {
  std::set<std::string> all;
  for (int i = 0; i < 500; ++i) {
    const std::string name = "f" + std::to_string(i);
    WriteFile(root_, name, "");
    all.insert(name);
  }
  // As rm -r does: read a few, remove them, go on from the last position.
  ReadDirectoryRequest request;
  request.directory = root_;
  request.limit = 7;
  for (;;) {
    const auto entries = files().ReadDirectory(request);
    ASSERT_TRUE(entries.ok());
    if (entries->empty()) break;
    for (const auto& entry : *entries) {
      EXPECT_EQ(all.erase(entry.name), 1u) << entry.name;
      ASSERT_TRUE(files().Unlink(caller_, root_, entry.name).ok());
    }
    request.after = entries->back().position;
  }
  EXPECT_THAT(all, IsEmpty());
}

TEST_F(FilesTest, ReadDirectoryCarriesAttributes) {
  WriteFile(root_, "f", "12345");
  Mkdir(root_, "d");
  ReadDirectoryRequest request;
  request.directory = root_;
  request.with_attributes = true;
  const auto entries = files().ReadDirectory(request);
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].attributes->size, 5u);
  EXPECT_EQ((*entries)[1].attributes->kind, FileKind::kDirectory);
}

TEST_F(FilesTest, HardLinksAreOneFile) {
  const InodeId a = WriteFile(root_, "a", "one");
  const auto linked = files().Link(caller_, a, root_, "b");
  ASSERT_TRUE(linked.ok());
  EXPECT_EQ(linked->links, 2u);
  EXPECT_EQ(GetObject("b").value(), "one");
  ASSERT_TRUE(PutObject("b", "other").ok());  // only this name changes
  EXPECT_EQ(ReadFile(root_, "a").value(), "one");
  EXPECT_EQ(files().GetAttributes(a)->links, 1u);
}

TEST_F(FilesTest, AnUnlinkedOpenFileLivesOn) {
  OpenOptions options;
  options.write = true;
  auto opened = files().Create(caller_, root_, "f", 0644, options, nullptr);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(opened->handle->Write(0, Bytes("alive")).ok());
  ASSERT_TRUE(files().Unlink(caller_, root_, "f").ok());
  EXPECT_THAT(Keys(), IsEmpty());
  std::string content(5, '\0');
  EXPECT_EQ(opened->handle->Read(0, std::as_writable_bytes(std::span(content))).value(), 5u);
  EXPECT_EQ(content, "alive");
  EXPECT_EQ(opened->handle->GetAttributes().links, 0u);
  const InodeId inode = opened->attributes.inode;
  opened->handle->Release();
  EXPECT_TRUE(files().GetAttributes(inode).Is(ErrorCode::kStale));
}

TEST_F(FilesTest, AnUnnamedFileGetsANameByLink) {
  OpenOptions options;
  options.write = true;
  auto opened = files().CreateUnnamed(caller_, root_, 0600, options);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(opened->handle->Write(0, Bytes("tmp")).ok());
  EXPECT_THAT(Keys(), IsEmpty());
  ASSERT_TRUE(files().Link(caller_, opened->attributes.inode, root_, "named").ok());
  opened->handle->Release();
  EXPECT_EQ(GetObject("named").value(), "tmp");
  // One that had a name and lost it stays out of the tree.
  auto again = files().Create(caller_, root_, "g", 0600, options, nullptr);
  ASSERT_TRUE(files().Unlink(caller_, root_, "g").ok());
  EXPECT_TRUE(files().Link(caller_, again->attributes.inode, root_, "h").Is(ErrorCode::kNotFound));
}

TEST_F(FilesTest, SymlinksAreZeroByteObjects) {
  NewNode node;
  node.kind = FileKind::kSymlink;
  node.symlink_target = "some/where";
  const auto made = files().MakeNode(caller_, root_, "l", node);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->size, 10u);
  EXPECT_EQ(files().ReadLink(made->inode).value(), "some/where");
  EXPECT_EQ(objects().Head(bucket_, "l")->size, 0u);
  EXPECT_EQ(GetObject("l").value(), "");
  EXPECT_TRUE(files().ReadLink(root_).Is(ErrorCode::kInvalidArgument));
}

TEST_F(FilesTest, XattrsFollowTheirModes) {
  const InodeId f = WriteFile(root_, "f", "");
  EXPECT_TRUE(
      files().SetXattr(caller_, f, "user.a", "1", XattrMode::kReplace).Is(ErrorCode::kNoAttribute));
  ASSERT_TRUE(files().SetXattr(caller_, f, "user.a", "1", XattrMode::kCreate).ok());
  EXPECT_TRUE(
      files().SetXattr(caller_, f, "user.a", "2", XattrMode::kCreate).Is(ErrorCode::kExists));
  ASSERT_TRUE(files().SetXattr(caller_, f, "user.a", "2", XattrMode::kReplace).ok());
  EXPECT_EQ(files().GetXattr(f, "user.a").value(), "2");
  EXPECT_THAT(files().ListXattrs(caller_, f).value(), ElementsAre("user.a"));
  EXPECT_TRUE(files()
                  .SetXattr(caller_, f, "user.s3.etag", "x", XattrMode::kCreate)
                  .Is(ErrorCode::kNotPermitted));
  EXPECT_TRUE(
      files().SetXattr(caller_, f, "odd.a", "x", XattrMode::kCreate).Is(ErrorCode::kUnsupported));
  EXPECT_TRUE(files()
                  .SetXattr(caller_, f, "user.b", std::string(65'537, 'x'), XattrMode::kCreate)
                  .Is(ErrorCode::kRangeTooLarge));
  ASSERT_TRUE(files().RemoveXattr(caller_, f, "user.a").ok());
  EXPECT_TRUE(files().GetXattr(f, "user.a").Is(ErrorCode::kNoAttribute));
  EXPECT_THAT(files().ListXattrs(caller_, f).value(), IsEmpty());
}

TEST_F(FilesTest, TheEtagShowsAsAnXattr) {
  ASSERT_TRUE(PutObject("k", "hello").ok());
  const InodeId k = files().Lookup(root_, "k")->inode;
  EXPECT_EQ(files().GetXattr(k, "user.s3.etag").value(), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(files().GetXattr(k, "user.s3.etag").value(), objects().Head(bucket_, "k")->etag);
}

TEST_F(FilesTest, ChmodDoesNotChangeTheEtagAndUtimesDoesNotMoveLastModified) {
  ASSERT_TRUE(PutObject("k", "hello").ok());
  const auto before = objects().Head(bucket_, "k");
  AttributeChange change;
  change.permissions = 0700;
  change.modified = Time(1);
  ASSERT_TRUE(
      files().SetAttributes(caller_, files().Lookup(root_, "k")->inode, change, nullptr).ok());
  const auto after = objects().Head(bucket_, "k");
  EXPECT_EQ(after->etag, before->etag);
  EXPECT_EQ(after->last_modified, before->last_modified);
  EXPECT_EQ(files().Lookup(root_, "k")->permissions, 0700u);
  EXPECT_EQ(files().Lookup(root_, "k")->modified, Time(1));
}

TEST_F(FilesTest, ResolvePathWalksVolumesAndBuckets) {
  EXPECT_EQ(files().ResolvePath("")->inode, kStoreRoot);
  EXPECT_EQ(files().ResolvePath("s3v/bucket")->inode, root_);
  EXPECT_TRUE(files().ResolvePath("s3v/none").Is(ErrorCode::kNotFound));
  EXPECT_EQ(files().ParentOf(kStoreRoot).value(), kStoreRoot);
}

TEST_F(FilesTest, ConcurrentRenamesNeverBuildARing) {
  const InodeId a = Mkdir(root_, "a");
  const InodeId b = Mkdir(root_, "b");
  for (int round = 0; round < 200; ++round) {
    std::thread first([&] { (void)RenameName(root_, "a", b, "a").ok(); });
    std::thread second([&] { (void)RenameName(root_, "b", a, "b").ok(); });
    first.join();
    second.join();
    (void)RenameName(b, "a", root_, "a").ok();
    (void)RenameName(a, "b", root_, "b").ok();
    ASSERT_THAT(Names(root_), ElementsAre("a", "b"));
  }
}

TEST_F(FilesTest, EverythingIsThereAfterAReopen) {
  const InodeId d = Mkdir(root_, "d");
  WriteFile(d, "small", "small");
  WriteFile(d, "large", std::string(300'000, 'L'));
  Reopen();
  EXPECT_EQ(ReadFile(d, "small").value(), "small");
  EXPECT_EQ(ReadFile(d, "large").value(), std::string(300'000, 'L'));
}

}  // namespace
}  // namespace amphora::fs
