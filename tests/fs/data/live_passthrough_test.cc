// Passthrough: the kernel writes into the blob behind our back. Here the test writes into the
// backing descriptor as the kernel would.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <limits>

#include "meta/base/metrics.h"
#include "tests/fs/data/file_fixture.h"
#include "tests/support/change_recorder.h"

namespace amphora::fs {
namespace {

using test::kInlineLimit;
using test::Pattern;
using test::ReadAll;

class LivePassthroughTest : public test::FileTest {
 protected:
  static void WriteBehind(FileHandle& handle, std::uint64_t offset, std::string_view bytes) {
    ASSERT_EQ(::pwrite(handle.backing_fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }
  // The collector's thread ends a passthrough in the background; this waits for that, and fails
  // when it takes absurdly long.
  bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 3000; ++i) {
      if (holds()) return true;
      ::usleep(10'000);
    }
    return false;
  }
  bool Cacheable(InodeId inode) { return files().GetAttributes(inode)->cacheable; }
};

TEST_F(LivePassthroughTest, OnlyLargeExistingFilesOfOneOwnerAreChosen) {
  WriteFile(root_, "small", "small");
  WriteFile(root_, "large", Pattern(4 * kInlineLimit, 1));
  EXPECT_EQ(OpenFile("small", Passthrough(true))->mode(), AccessMode::kDaemon);
  EXPECT_EQ(OpenFile("large", {})->mode(), AccessMode::kDaemon);
  auto handle = OpenFile("large", Passthrough(false));
  EXPECT_EQ(handle->mode(), AccessMode::kPassthrough);
  EXPECT_GE(handle->backing_fd(), 0);
  EXPECT_EQ(ReadAll(*handle, 0, 4 * kInlineLimit), Pattern(4 * kInlineLimit, 1));
  // While one handle is in passthrough all are.
  EXPECT_EQ(OpenFile("large", Passthrough(true))->mode(), AccessMode::kPassthrough);
  handle.reset();
  OpenOptions created = Passthrough(true);
  auto fresh = files().Create(caller_, root_, "fresh", 0644, created, nullptr);
  EXPECT_EQ(fresh->handle->mode(), AccessMode::kDaemon);
}

TEST_F(LivePassthroughTest, AFileWithSetuidIsWrittenThroughTheDaemon) {
  const InodeId inode = WriteFile(root_, "tool", Pattern(4 * kInlineLimit, 1));
  AttributeChange change;
  change.permissions = 04755;
  ASSERT_TRUE(files().SetAttributes(caller_, inode, change, nullptr).ok());
  EXPECT_EQ(OpenFile("tool", Passthrough(false))->mode(), AccessMode::kPassthrough);
  auto writer = OpenFile("tool", Passthrough(true));
  EXPECT_EQ(writer->mode(), AccessMode::kDaemon) << "the kernel would leave the bit";
  EXPECT_EQ(OpenFile("tool", Passthrough(false))->mode(), AccessMode::kDaemon);
}

TEST_F(LivePassthroughTest, AWriteRightAfterAChangeOfOwnerMovesTheTimesAgain) {
  const InodeId inode = WriteFile(root_, "large", Pattern(4 * kInlineLimit, 1));
  auto handle = OpenFile("large", Passthrough(true));
  // The blob's times are those of the last tick, which may lie before the change.
  for (int i = 0; i < 100; ++i) {
    AttributeChange change;
    change.uid = static_cast<std::uint32_t>(i);
    ASSERT_TRUE(files().SetAttributes(caller_, inode, change, nullptr).ok());
    const Attributes before = *files().GetAttributes(inode);
    WriteBehind(*handle, 5 * kInlineLimit + static_cast<std::uint64_t>(i), "x");
    const Attributes after = *files().GetAttributes(inode);
    ASSERT_GT(after.changed, before.changed) << i;
    ASSERT_GT(after.modified, before.modified) << i;
  }
}

TEST_F(LivePassthroughTest, TimesThatAreSetRightAfterAWriteHold) {
  const InodeId inode = WriteFile(root_, "large", Pattern(4 * kInlineLimit, 1));
  auto handle = OpenFile("large", Passthrough(true));
  WriteBehind(*handle, 0, "x");
  AttributeChange change;
  change.modified = Time(1'000'000'000);
  ASSERT_TRUE(files().SetAttributes(caller_, inode, change, nullptr).ok());
  // For a tick of the kernel's clock nobody can tell whether the blob was written again.
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(files().GetAttributes(inode)->modified, Time(1'000'000'000));
    ::usleep(1000);
  }
  handle->Release();
  EXPECT_EQ(files().GetAttributes(inode)->modified, Time(1'000'000'000));
}

TEST_F(LivePassthroughTest, TheFirstHandleDecidesForAllUntilTheLastRelease) {
  WriteFile(root_, "large", Pattern(4 * kInlineLimit, 1));
  auto first = OpenFile("large", {});
  EXPECT_EQ(OpenFile("large", Passthrough(true))->mode(), AccessMode::kDaemon);
  first.reset();
  EXPECT_EQ(OpenFile("large", Passthrough(false))->mode(), AccessMode::kPassthrough);
}

TEST_F(LivePassthroughTest, WritesOfTheKernelShowAtOnceAndSettleAtFlush) {
  ASSERT_TRUE(PutObject("o", Pattern(4 * kInlineLimit, 2)).ok());
  const std::string etag = EtagOf("o");
  auto handle = OpenFile("o", Passthrough(true));
  ASSERT_EQ(handle->mode(), AccessMode::kPassthrough);
  EXPECT_FALSE(Cacheable(handle->inode()));
  const Time before = files().GetAttributes(handle->inode())->modified;
  WriteBehind(*handle, 4 * kInlineLimit, "more");
  const auto now = files().GetAttributes(handle->inode());
  EXPECT_EQ(now->size, 4 * kInlineLimit + 4);
  EXPECT_GE(now->modified, before);
  EXPECT_EQ(objects().Head(bucket_, "o")->size, 4 * kInlineLimit + 4);
  EXPECT_NE(EtagOf("o"), etag);
  ASSERT_TRUE(handle->Flush().ok());
  handle.reset();
  EXPECT_EQ(SizeOf("o"), 4 * kInlineLimit + 4);
  EXPECT_EQ(GetObject("o").value(), Pattern(4 * kInlineLimit, 2) + "more");
  Reopen();
  EXPECT_EQ(GetObject("o").value(), Pattern(4 * kInlineLimit, 2) + "more");
}

TEST_F(LivePassthroughTest, UtimensRightAfterAWriteOfTheKernelHolds) {
  const InodeId inode = WriteFile(root_, "f", Pattern(4 * kInlineLimit, 1));
  AttributeChange change;
  change.modified = Time(1'000'000'000);
  for (int round = 0; round < 3; ++round) {
    auto handle = OpenFile("f", Passthrough(true));
    WriteBehind(*handle, 0, std::to_string(round));
    EXPECT_EQ(files().SetAttributes(caller_, inode, change, nullptr)->modified, *change.modified);
    EXPECT_EQ(files().GetAttributes(inode)->modified, *change.modified);
    ASSERT_TRUE(handle->Flush().ok());
    handle.reset();
    EXPECT_EQ(files().GetAttributes(inode)->modified, *change.modified);
  }
  Reopen();
  EXPECT_EQ(files().GetAttributes(inode)->modified, *change.modified);
}

// utimensat may go as far back as times go; the blob's clock is then further ahead than 2^63 ns.
TEST_F(LivePassthroughTest, AWriteOfTheKernelAfterATimeIn1677SetsItToNow) {
  const InodeId inode = WriteFile(root_, "f", Pattern(4 * kInlineLimit, 1));
  auto handle = OpenFile("f", Passthrough(true));
  AttributeChange change;
  change.modified = Time(std::numeric_limits<std::int64_t>::min());
  ASSERT_TRUE(files().SetAttributes(caller_, inode, change, nullptr).ok());
  EXPECT_EQ(files().GetAttributes(inode)->modified, *change.modified);
  ::usleep(20'000);  // further than the tick of the file system's clock
  WriteBehind(*handle, 0, "new");
  EXPECT_GT(files().GetAttributes(inode)->modified, Time(0));
}

TEST_F(LivePassthroughTest, EveryKernelIsToldWhenAttributesBeginToMoveAndWhenContentChanged) {
  const InodeId inode = WriteFile(root_, "f", Pattern(4 * kInlineLimit, 8));
  test::ChangeRecorder recorder;
  caller_.origin = engine_->AddSink(&recorder);
  auto handle = OpenFile("f", Passthrough(true));
  auto changes = recorder.Take();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].what, Change::What::kAttributes);
  EXPECT_EQ(changes[0].inode, inode);
  EXPECT_FALSE(changes[0].origin.valid()) << "the opener's own kernel too";
  OpenFile("f", Passthrough(true)).reset();
  EXPECT_TRUE(recorder.Take().empty()) << "only the first";
  ::usleep(20'000);
  WriteBehind(*handle, 0, "new");
  ASSERT_TRUE(handle->Flush().ok());
  changes = recorder.Take();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].what, Change::What::kContent);
  EXPECT_FALSE(changes[0].origin.valid());
  handle.reset();
  engine_->RemoveSink(caller_.origin);
}

TEST_F(LivePassthroughTest, AWriterThroughTheDaemonIsNotToldOfItsOwnWrites) {
  test::ChangeRecorder recorder;
  caller_.origin = engine_->AddSink(&recorder);
  const InodeId inode = WriteFile(root_, "f", "content");
  for (const Change& change : recorder.Take()) {
    if (change.inode == inode) {
      EXPECT_EQ(change.origin, caller_.origin);
    }
  }
  engine_->RemoveSink(caller_.origin);
}

TEST_F(LivePassthroughTest, AMappingOutlivesTheReleaseAndItsStoresAreSeen) {
  const std::size_t size = 4 * kInlineLimit;
  const InodeId inode = WriteFile(root_, "f", Pattern(size, 3));
  auto handle = OpenFile("f", Passthrough(true));
  ASSERT_EQ(handle->mode(), AccessMode::kPassthrough);
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, handle->backing_fd(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  handle.reset();
  EXPECT_FALSE(Cacheable(inode)) << "still open for writing";
  // An open meanwhile stays in passthrough: no cached mode beside the mapping.
  EXPECT_EQ(OpenFile("f", Passthrough(false))->mode(), AccessMode::kPassthrough);
  const std::string etag = EtagOf("f");
  static_cast<char*>(mapped)[5] = '!';
  ASSERT_EQ(::msync(mapped, size, MS_SYNC), 0);
  EXPECT_NE(EtagOf("f"), etag);
  ASSERT_EQ(::munmap(mapped, size), 0);
  EXPECT_TRUE(Eventually([&] { return Cacheable(inode); })) << "the mapping is gone";
  EXPECT_EQ(GetObject("f").value()[5], '!');
  EXPECT_EQ(OpenFile("f", {})->mode(), AccessMode::kDaemon);
}

TEST_F(LivePassthroughTest, AFileThatIsUnlinkedWhileMappedIsReapedAfterTheMapping) {
  const std::size_t size = 4 * kInlineLimit;
  WriteFile(root_, "f", Pattern(size, 4));
  auto handle = OpenFile("f", Passthrough(true));
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, handle->backing_fd(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  handle.reset();
  ASSERT_TRUE(files().Unlink(caller_, root_, "f").ok());
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(BlobFiles(), 1u);
  ASSERT_EQ(::munmap(mapped, size), 0);
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(engine_->admin().CollectGarbage({}).ok());
    return BlobFiles() == 0;
  }));
}

TEST_F(LivePassthroughTest, AGetBesideAPassthroughWriterReadsAClonesBytesOrSaysThatTheyMayChange) {
  const std::string bytes = Pattern(4 * kInlineLimit, 5);
  WriteFile(root_, "f", bytes);
  auto handle = OpenFile("f", Passthrough(true));
  auto reader = objects().Open(bucket_, "f");
  ASSERT_TRUE(reader.ok());
  std::string got(bytes.size(), '\0');
  if ((*reader)->in_files()) {
    WriteBehind(*handle, 0, std::string(bytes.size(), 'w'));
    ASSERT_TRUE((*reader)->Read(0, std::as_writable_bytes(std::span(got))).ok());
    EXPECT_EQ(got, bytes);
  } else {
    ASSERT_TRUE((*reader)->Read(0, std::as_writable_bytes(std::span(got))).ok());
    EXPECT_EQ(got, bytes);
    ::usleep(20'000);  // further than the tick of the file system's clock
    WriteBehind(*handle, 0, std::string(bytes.size(), 'w'));
    EXPECT_TRUE((*reader)->Read(0, std::as_writable_bytes(std::span(got))).Is(ErrorCode::kStale));
  }
}

TEST_F(LivePassthroughTest, ABlobThatAGetHasPinnedIsNotOpenedInPassthrough) {
  const std::string bytes = Pattern(4 * kInlineLimit, 6);
  ASSERT_TRUE(PutObject("o", bytes).ok());
  auto reader = objects().Open(bucket_, "o");
  ASSERT_TRUE(reader.ok());
  auto handle = OpenFile("o", Passthrough(true));
  EXPECT_EQ(handle->mode(), AccessMode::kDaemon);
  ASSERT_TRUE(handle->Write(0, Bytes(std::string(bytes.size(), 'w'))).ok());
  std::string got(bytes.size(), '\0');
  ASSERT_TRUE((*reader)->Read(0, std::as_writable_bytes(std::span(got))).ok());
  EXPECT_EQ(got, bytes);
}

TEST_F(LivePassthroughTest, TruncateAndWritesThroughTheDaemonReachTheBackingFile) {
  WriteFile(root_, "f", Pattern(4 * kInlineLimit, 7));
  auto handle = OpenFile("f", Passthrough(true));
  ASSERT_EQ(handle->mode(), AccessMode::kPassthrough);
  ASSERT_TRUE(handle->Write(0, Bytes("direct")).ok());
  char got[6];
  ASSERT_EQ(::pread(handle->backing_fd(), got, 6, 0), 6);
  EXPECT_EQ(std::string_view(got, 6), "direct");
  AttributeChange change;
  change.size = 3;
  EXPECT_EQ(files().SetAttributes(caller_, handle->inode(), change, handle.get())->size, 3u);
  EXPECT_EQ(::pread(handle->backing_fd(), got, 6, 0), 3);
  change.size = 0;
  EXPECT_EQ(files().SetAttributes(caller_, handle->inode(), change, handle.get())->size, 0u);
  WriteBehind(*handle, 0, "again");
  EXPECT_EQ(SizeOf("f"), 5u);
  const auto syncs = Value(Counter::kBlobSyncs);
  ASSERT_TRUE(handle->Flush().ok());
  EXPECT_EQ(Value(Counter::kBlobSyncs), syncs + 1) << "close after truncate syncs, once";
}

}  // namespace
}  // namespace amphora::fs
