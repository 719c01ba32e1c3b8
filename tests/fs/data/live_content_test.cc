// Content of open files: inline, blob, sparse; append, truncate, fallocate, seek; unlinked files.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>
#include <thread>

#include "meta/base/metrics.h"
#include "tests/fs/data/file_fixture.h"

namespace amphora::fs {
namespace {

using test::kInlineLimit;
using test::Pattern;
using test::ReadAll;

// A writer without CAP_FSETID.
const MembershipSource kStranger = [] { return Membership{}; };

class LiveContentTest : public test::FileTest {};

TEST_F(LiveContentTest, WritesAreVisibleOnBothFacesBeforeFlush) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes("before flush")).ok());
  EXPECT_EQ(SizeOf("f"), 12u);
  EXPECT_EQ(GetObject("f").value(), "before flush");
  EXPECT_EQ(ReadFile(root_, "f").value(), "before flush");
  EXPECT_EQ(objects().Head(bucket_, "f")->size, 12u);
}

TEST_F(LiveContentTest, AHoleReadsAsZeros) {
  auto handle = CreateFile("sparse");
  ASSERT_TRUE(handle->Write(100, Bytes("end")).ok());
  EXPECT_EQ(ReadAll(*handle, 0, 200), std::string(100, '\0') + "end");
  ASSERT_TRUE(handle->Write(1 << 20, Bytes("far")).ok());
  EXPECT_EQ(ReadAll(*handle, (1 << 20) - 2, 10), std::string(2, '\0') + "far");
  EXPECT_EQ(ReadAll(*handle, 98, 5), std::string(2, '\0') + "end");
}

TEST_F(LiveContentTest, ContentGrowsFromInlineToABlobWithoutLoss) {
  const std::string bytes = Pattern(3 * kInlineLimit, 1);
  auto handle = CreateFile("f");
  for (std::size_t at = 0; at < bytes.size(); at += 1000) {
    const auto part = std::string_view(bytes).substr(at, 1000);
    ASSERT_EQ(handle->Write(at, Bytes(part)).value(), part.size());
  }
  EXPECT_EQ(GetObject("f").value(), bytes);
  ASSERT_TRUE(handle->Flush().ok());
  handle.reset();
  EXPECT_EQ(GetObject("f").value(), bytes);
  EXPECT_EQ(BlobFiles(), 1u);
  Reopen();
  EXPECT_EQ(GetObject("f").value(), bytes);
}

TEST_F(LiveContentTest, ACommittedInlineFileGrowsIntoABlob) {
  WriteFile(root_, "f", "small");
  const std::string tail = Pattern(2 * kInlineLimit, 2);
  auto handle = OpenForWrite("f");
  ASSERT_TRUE(handle->Write(5, Bytes(tail)).ok());
  ASSERT_TRUE(handle->Flush().ok());
  EXPECT_EQ(GetObject("f").value(), "small" + tail);
  handle.reset();
  Reopen();
  EXPECT_EQ(ReadFile(root_, "f").value(), "small" + tail);
}

TEST_F(LiveContentTest, TruncateCutsAndExtendsWithZeros) {
  for (const std::size_t size : {std::size_t{100}, 3 * kInlineLimit}) {
    const std::string bytes = Pattern(size, 3);
    const InodeId inode = WriteFile(root_, "f", bytes);
    AttributeChange change;
    change.size = size / 2;
    EXPECT_EQ(files().SetAttributes(caller_, inode, change, nullptr)->size, size / 2);
    EXPECT_EQ(GetObject("f").value(), bytes.substr(0, size / 2));
    change.size = size;
    ASSERT_TRUE(files().SetAttributes(caller_, inode, change, nullptr).ok());
    EXPECT_EQ(GetObject("f").value(),
              bytes.substr(0, size / 2) + std::string(size - size / 2, '\0'));
    change.size = 0;
    ASSERT_TRUE(files().SetAttributes(caller_, inode, change, nullptr).ok());
    EXPECT_EQ(GetObject("f").value(), "");
  }
}

TEST_F(LiveContentTest, AnEmptyFileExtendedToATerabyteTakesNoRoom) {
  const InodeId inode = WriteFile(root_, "huge", "");
  AttributeChange change;
  change.size = std::uint64_t{1} << 40;
  EXPECT_EQ(files().SetAttributes(caller_, inode, change, nullptr)->size, change.size);
  EXPECT_EQ(BlobFiles(), 0u);
  EXPECT_EQ(files().GetAttributes(inode)->allocated, 0u);
  auto handle = OpenForWrite("huge");
  EXPECT_EQ(ReadAll(*handle, (std::uint64_t{1} << 40) - 3, 10), std::string(3, '\0'));
  ASSERT_TRUE(handle->Write(std::uint64_t{1} << 39, Bytes("middle")).ok());
  EXPECT_EQ(ReadAll(*handle, (std::uint64_t{1} << 39) - 1, 8), std::string("\0middle\0", 8));
  EXPECT_EQ(SizeOf("huge"), std::uint64_t{1} << 40);
  EXPECT_LT(files().GetAttributes(inode)->allocated, 1u << 20);
  ASSERT_TRUE(handle->Flush().ok());
  handle.reset();
  EXPECT_LT(files().GetAttributes(inode)->allocated, 1u << 20);
}

TEST_F(LiveContentTest, AllocatedBytesAreThoseThatAreKept) {
  const InodeId inode = WriteFile(root_, "f", Pattern(1000, 11));
  EXPECT_EQ(files().GetAttributes(inode)->allocated, 1024u);
  auto handle = OpenForWrite("f");
  ASSERT_TRUE(handle->Write(2000, Bytes("x")).ok());
  EXPECT_EQ(files().GetAttributes(inode)->allocated, 2048u);
  ASSERT_TRUE(handle->Write(0, Bytes(Pattern(1 << 20, 12))).ok());
  EXPECT_GE(files().GetAttributes(inode)->allocated, 1u << 20);
}

TEST_F(LiveContentTest, AWriteBeyondTheLargestOffsetIsRefusedAndChangesNothing) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes("x")).ok());
  const auto written = handle->Write(~std::uint64_t{0} - 1, Bytes("yy"));
  EXPECT_TRUE(written.Is(ErrorCode::kFileTooLarge));
  EXPECT_EQ(SizeOf("f"), 1u);
}

TEST_F(LiveContentTest, AppendsFromTwoThreadsNeverOverlap) {
  OpenOptions options;
  options.write = true;
  options.append = true;
  WriteFile(root_, "log", "");
  constexpr int kLines = 2000;
  constexpr std::size_t kLineBytes = 16;
  std::vector<std::thread> threads;
  for (const char name : {'a', 'b'}) {
    threads.emplace_back([&, name] {
      auto handle = OpenFile("log", options);
      for (int i = 0; i < kLines; ++i) {
        const std::string line = name + std::to_string(100000000 + i) + "-end--";
        ASSERT_EQ(line.size(), kLineBytes);
        ASSERT_TRUE(handle->Write(0, Bytes(line)).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const std::string content = GetObject("log").value();
  ASSERT_EQ(content.size(), 2 * kLines * kLineBytes);
  std::set<std::string> lines;
  for (std::size_t at = 0; at < content.size(); at += kLineBytes) {
    lines.insert(content.substr(at, kLineBytes));
  }
  EXPECT_EQ(lines.size(), 2u * kLines);
}

TEST_F(LiveContentTest, OpenWithTruncateEmptiesTheFile) {
  WriteFile(root_, "f", Pattern(2 * kInlineLimit, 4));
  OpenOptions options;
  options.write = true;
  options.truncate = true;
  auto handle = OpenFile("f", options);
  EXPECT_EQ(SizeOf("f"), 0u);
  ASSERT_TRUE(handle->Write(0, Bytes("new")).ok());
  ASSERT_TRUE(handle->Flush().ok());
  handle.reset();
  EXPECT_EQ(GetObject("f").value(), "new");
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(BlobFiles(), 0u);
}

TEST_F(LiveContentTest, FallocateReservesPunchesAndZeroes) {
  for (const std::size_t size : {std::size_t{4096}, 4 * kInlineLimit}) {
    SCOPED_TRACE(size);
    const std::string bytes = Pattern(size, 5);
    WriteFile(root_, "f", bytes);
    auto handle = OpenForWrite("f");
    ASSERT_TRUE(handle->Allocate(AllocateMode::kPunch, 100, 200).ok());
    std::string expected = bytes;
    expected.replace(100, 200, std::string(200, '\0'));
    EXPECT_EQ(ReadAll(*handle, 0, size), expected);
    ASSERT_TRUE(handle->Allocate(AllocateMode::kKeepSize, size, 1000).ok());
    EXPECT_EQ(SizeOf("f"), size);
    ASSERT_TRUE(handle->Allocate(AllocateMode::kExtend, size, 1000).ok());
    EXPECT_EQ(SizeOf("f"), size + 1000);
    ASSERT_TRUE(handle->Allocate(AllocateMode::kZero, size - 10, 20).ok());
    expected.replace(size - 10, 10, std::string(10, '\0'));
    expected += std::string(1000, '\0');
    EXPECT_EQ(ReadAll(*handle, 0, size + 2000), expected);
    EXPECT_TRUE(handle->Allocate(AllocateMode::kExtend, 0, 0).Is(ErrorCode::kInvalidArgument));
    handle.reset();
    EXPECT_EQ(GetObject("f").value(), expected);
    ASSERT_TRUE(files().Unlink(caller_, root_, "f").ok());
  }
}

TEST_F(LiveContentTest, SeekFindsDataAndHoles) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes("data")).ok());
  EXPECT_EQ(handle->Seek(SeekTarget::kData, 1).value(), 1u);
  EXPECT_EQ(handle->Seek(SeekTarget::kHole, 1).value(), 4u);
  EXPECT_TRUE(handle->Seek(SeekTarget::kData, 4).Is(ErrorCode::kOutOfRange));
  ASSERT_TRUE(handle->Write(1 << 20, Bytes("far")).ok());
  EXPECT_EQ(handle->Seek(SeekTarget::kHole, 1 << 20).value(), (1u << 20) + 3);
  EXPECT_GE(handle->Seek(SeekTarget::kData, 64 << 10).value(), 64u << 10);
}

TEST_F(LiveContentTest, AnUnlinkedOpenFileIsWritableAndGoneAfterItsRelease) {
  auto handle = CreateFile("f");
  const std::string bytes = Pattern(2 * kInlineLimit, 6);
  ASSERT_TRUE(handle->Write(0, Bytes(bytes)).ok());
  ASSERT_TRUE(handle->Flush().ok());
  ASSERT_TRUE(files().Unlink(caller_, root_, "f").ok());
  ASSERT_TRUE(handle->Write(0, Bytes("still here")).ok());
  EXPECT_EQ(ReadAll(*handle, 0, 10), "still here");
  ASSERT_TRUE(handle->Sync().ok());
  const InodeId inode = handle->inode();
  handle.reset();
  EXPECT_TRUE(files().GetAttributes(inode).Is(ErrorCode::kStale));
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(BlobFiles(), 0u);
  EXPECT_EQ(engine_->buckets().GetBucket("s3v", "bucket")->bytes, 0u);
}

TEST_F(LiveContentTest, APutReplacesAnOpenFileAndTheHandleKeepsTheOldOne) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes("old")).ok());
  ASSERT_TRUE(PutObject("f", "new").ok());
  EXPECT_EQ(ReadAll(*handle, 0, 10), "old");
  EXPECT_EQ(GetObject("f").value(), "new");
  ASSERT_TRUE(handle->Write(0, Bytes("OLD")).ok());
  ASSERT_TRUE(handle->Flush().ok());
  handle.reset();
  EXPECT_EQ(GetObject("f").value(), "new");
}

TEST_F(LiveContentTest, EveryObservedChangeHasItsOwnEtagWithADash) {
  auto handle = CreateFile("f");
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(handle->Write(0, Bytes(std::to_string(i % 2))).ok());
    const std::string etag = EtagOf("f");
    EXPECT_NE(etag.find('-'), std::string::npos);
    EXPECT_TRUE(seen.insert(etag).second) << etag;
    if (i % 3 == 0) {
      ASSERT_TRUE(handle->Flush().ok());
    }
    EXPECT_EQ(EtagOf("f"), etag) << "settling changes no ETag";
  }
}

TEST_F(LiveContentTest, OpeningAnObjectForWritingWithoutWritingKeepsItsEtag) {
  for (const std::size_t size : {std::size_t{10}, 2 * kInlineLimit}) {
    ASSERT_TRUE(PutObject("o", Pattern(size, 7)).ok());
    const std::string etag = EtagOf("o");
    EXPECT_EQ(etag.find('-'), std::string::npos);
    auto handle = OpenForWrite("o");
    ASSERT_TRUE(handle->Flush().ok());
    handle.reset();
    EXPECT_EQ(EtagOf("o"), etag);
    ASSERT_TRUE(OpenForWrite("o")->Write(0, Bytes("x")).ok());
    EXPECT_NE(EtagOf("o"), etag);
  }
}

TEST_F(LiveContentTest, AWriteThatKillsPrivilegesClearsSetuidAtOnceAndForGood) {
  const InodeId inode = WriteFile(root_, "tool", "#!");
  AttributeChange change;
  change.permissions = 06755;
  ASSERT_TRUE(files().SetAttributes(caller_, inode, change, nullptr).ok());
  auto handle = OpenForWrite("tool");
  ASSERT_TRUE(handle->Write(0, Bytes("x"), kStranger).ok());
  EXPECT_EQ(files().GetAttributes(inode)->permissions, 0755u);
  ASSERT_TRUE(handle->Flush().ok());
  EXPECT_EQ(files().GetAttributes(inode)->permissions, 0755u);
  handle.reset();
  Reopen();
  EXPECT_EQ(files().GetAttributes(inode)->permissions, 0755u);
}

TEST_F(LiveContentTest, AWriteWithoutPrivilegesToTakeReadsNoRow) {
  auto handle = CreateFile("f");
  const auto gets = Value(Counter::kStoreGets);
  ASSERT_TRUE(handle->Write(0, Bytes("x"), kStranger).ok());
  EXPECT_EQ(Value(Counter::kStoreGets), gets);
  AttributeChange change;
  change.permissions = 04755;
  ASSERT_TRUE(files().SetAttributes(caller_, handle->inode(), change, nullptr).ok());
  ASSERT_TRUE(handle->Write(0, Bytes("y"), kStranger).ok());
  EXPECT_EQ(files().GetAttributes(handle->inode())->permissions, 0755u);
}

TEST_F(LiveContentTest, SetgidWithoutExecutionGoesUnlessTheWriterIsInTheGroup) {
  const MembershipSource member = [] { return Membership{false, {77}}; };
  auto handle = CreateFile("f");
  AttributeChange change;
  change.permissions = 02745;
  change.gid = 77;
  const auto again = [&] {
    EXPECT_TRUE(files().SetAttributes(caller_, handle->inode(), change, nullptr).ok());
    change.gid.reset();
  };
  const auto permissions = [&] { return files().GetAttributes(handle->inode())->permissions; };
  again();
  ASSERT_TRUE(handle->Write(0, Bytes("x"), member).ok());
  EXPECT_EQ(permissions(), 02745u);
  ASSERT_TRUE(handle->Write(0, Bytes("x"), kStranger).ok());
  EXPECT_EQ(permissions(), 0745u);
  again();
  ASSERT_TRUE(handle->Allocate(AllocateMode::kExtend, 0, 100, kStranger).ok());
  EXPECT_EQ(permissions(), 0745u);
  again();
  auto source = CreateFile("source");
  ASSERT_TRUE(source->Write(0, Bytes("source")).ok());
  ASSERT_TRUE(source->CopyTo(0, *handle, 0, 6, kStranger).ok());
  EXPECT_EQ(permissions(), 0745u);
  again();
  change.size = 3;
  change.permissions.reset();
  change.kill_privileges = true;
  change.membership = kStranger;
  ASSERT_TRUE(files().SetAttributes(caller_, handle->inode(), change, nullptr).ok());
  EXPECT_EQ(permissions(), 0745u);
}

TEST_F(LiveContentTest, TruncatingToTheSameSizeMovesTimesByHandleOnly) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes("bytes")).ok());
  const Attributes before = handle->GetAttributes();
  AttributeChange change;
  change.size = 5;
  ASSERT_TRUE(files().SetAttributes(caller_, handle->inode(), change, nullptr).ok());
  EXPECT_EQ(handle->GetAttributes().modified, before.modified);
  EXPECT_EQ(handle->GetAttributes().changed, before.changed);
  ASSERT_TRUE(files().SetAttributes(caller_, handle->inode(), change, handle.get()).ok());
  EXPECT_GT(handle->GetAttributes().modified, before.modified);
}

TEST_F(LiveContentTest, PagesOfAMappingGoWhereTheyBelongThroughAHandleThatAppends) {
  OpenOptions append;
  append.write = append.append = true;
  WriteFile(root_, "log", "0123456789");
  auto handle = files().Open(caller_, files().Lookup(root_, "log")->inode, append);
  ASSERT_TRUE(handle.ok());
  ASSERT_TRUE(handle->handle->Write(3, Bytes("x")).ok());
  ASSERT_TRUE(handle->handle->Write(3, Bytes("m"), {}, WriteSource::kMappedPages).ok());
  EXPECT_EQ(GetObject("log").value(), "012m456789x");
}

TEST_F(LiveContentTest, NobodyTruncatesAProgramThatRuns) {
  auto handle = CreateFile("tool");
  ASSERT_TRUE(handle->Write(0, Bytes("#!")).ok());
  const InodeId inode = handle->inode();
  handle.reset();
  OpenOptions run, empty;
  run.execute = true;
  empty.truncate = true;
  auto running = files().Open(caller_, inode, run);
  ASSERT_TRUE(running.ok());
  EXPECT_TRUE(files().Open(caller_, inode, empty).Is(ErrorCode::kTextBusy));
  EXPECT_EQ(SizeOf("tool"), 2u);
  running->handle.reset();
  EXPECT_TRUE(files().Open(caller_, inode, empty).ok());
}

TEST_F(LiveContentTest, AWriteThatFailsLeavesTheSizeAndChangesTheEtag) {
  const std::string bytes = Pattern(4 * kInlineLimit, 10);
  ASSERT_TRUE(PutObject("o", bytes).ok());
  const std::string etag = EtagOf("o");
  auto handle = OpenForWrite("o");
  ASSERT_TRUE(ArmFailpoint("fs.blob.write", "1*fail"));
  EXPECT_FALSE(handle->Write(bytes.size() - 5, Bytes("beyond the end")).ok());
  EXPECT_EQ(SizeOf("o"), bytes.size());
  EXPECT_EQ(GetObject("o").value().size(), bytes.size());
  EXPECT_NE(EtagOf("o"), etag) << "some bytes may have been written";
  ASSERT_TRUE(handle->Write(0, Bytes("x")).ok());
}

TEST_F(LiveContentTest, UtimensAfterAWriteHoldsAlsoAfterTheFlush) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes("x")).ok());
  AttributeChange change;
  change.modified = Time(1'000'000'000);
  ASSERT_TRUE(files().SetAttributes(caller_, handle->inode(), change, handle.get()).ok());
  EXPECT_EQ(files().GetAttributes(handle->inode())->modified, Time(1'000'000'000));
  ASSERT_TRUE(handle->Flush().ok());
  const InodeId inode = handle->inode();
  handle.reset();
  EXPECT_EQ(files().GetAttributes(inode)->modified, Time(1'000'000'000));
  ASSERT_TRUE(OpenForWrite("f")->Write(0, Bytes("y")).ok());
  EXPECT_GT(files().GetAttributes(inode)->modified, Time(1'000'000'000));
}

TEST_F(LiveContentTest, ASmallFileCostsOneTransactionAfterItsCreation) {
  WriteFile(root_, "warm", "up");
  auto handle = CreateFile("f");
  const auto commits = Value(Counter::kStoreCommits);
  const auto gets = Value(Counter::kStoreGets);
  const auto writes = Value(Counter::kStoreWrites);
  const auto syncs = Value(Counter::kStoreSyncs);
  ASSERT_TRUE(handle->Write(0, Bytes(Pattern(4096, 8))).ok());
  EXPECT_EQ(Value(Counter::kStoreCommits), commits);
  ASSERT_TRUE(handle->Flush().ok());
  EXPECT_EQ(Value(Counter::kStoreCommits), commits + 1);
  EXPECT_LE(Value(Counter::kStoreGets), gets + 1);
  EXPECT_LE(Value(Counter::kStoreWrites), writes + 3);
  handle.reset();
  EXPECT_EQ(Value(Counter::kStoreCommits), commits + 1);
  EXPECT_EQ(Value(Counter::kStoreSyncs), syncs);
}

TEST_F(LiveContentTest, ReadingASmallFileWritesNothing) {
  const InodeId inode = WriteFile(root_, "f", Pattern(4096, 9));
  const auto commits = Value(Counter::kStoreCommits);
  const auto gets = Value(Counter::kStoreGets);
  {
    auto opened = files().Open(caller_, inode, {});
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(ReadAll(*opened->handle, 0, 8192).size(), 4096u);
    EXPECT_TRUE(opened->handle->keep_cache());
  }
  EXPECT_EQ(Value(Counter::kStoreCommits), commits);
  EXPECT_LE(Value(Counter::kStoreGets), gets + 2) << "one read for the row, one for the content";
}

TEST_F(LiveContentTest, ReadersAndWritersOfOneFileSeeWholeWrites) {
  auto writer = CreateFile("f");
  constexpr std::size_t kBlock = 64 << 10;
  ASSERT_TRUE(writer->Write(0, Bytes(std::string(kBlock, 'a'))).ok());
  std::atomic<bool> done{false};
  std::thread reader([&] {
    auto handle = OpenFile("f", {});
    while (!done) {
      const std::string bytes = ReadAll(*handle, 0, kBlock);
      ASSERT_EQ(bytes.size(), kBlock);
      ASSERT_EQ(bytes.find_first_not_of(bytes[0]), std::string::npos) << "a torn write";
    }
  });
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(writer->Write(0, Bytes(std::string(kBlock, static_cast<char>('a' + i % 26)))).ok());
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace amphora::fs
