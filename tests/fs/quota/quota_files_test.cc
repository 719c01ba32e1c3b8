// Quotas as POSIX meets them: what grows is refused exactly at the limit, whatever grows it.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/fs/data/file_fixture.h"
#include "tests/fs/quota/limits.h"

namespace amphora::fs {
namespace {

using test::BytesIn;
using test::ExpectLedgerIs;
using test::Pattern;
using test::SetQuotas;

constexpr std::uint64_t kQuota = 1 << 20;

class QuotaFilesTest : public test::FileTest {
 protected:
  static bool IsQuota(const Status& status) { return status.Is(ErrorCode::kQuotaExceeded); }
  Status Truncate(std::string_view name, std::uint64_t size) {
    AMPHORA_ASSIGN(const Attributes found, files().Lookup(root_, name));
    AttributeChange change;
    change.size = size;
    const auto changed = files().SetAttributes(caller_, found.inode, change, nullptr);
    return changed.ok() ? Ok() : Status(changed.error());
  }
  Status Remove(std::string_view name) { return files().Unlink(caller_, root_, name); }
};

TEST_F(QuotaFilesTest, AWriteEndsExactlyAtTheQuota) {
  SetQuotas(*engine_, kQuota);
  auto handle = CreateFile("file");
  const std::string bytes = Pattern(kQuota + 5, 1);
  const auto first = handle->Write(0, Bytes(bytes));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, kQuota);
  EXPECT_TRUE(handle->Write(kQuota, Bytes("x")).Is(ErrorCode::kQuotaExceeded));
  // What is there may be written again, and a refused write changed nothing.
  EXPECT_TRUE(handle->Write(0, Bytes(bytes.substr(0, kQuota))).ok());
  EXPECT_TRUE(handle->Flush().ok());
  EXPECT_EQ(SizeOf("file"), kQuota);
  handle.reset();
  EXPECT_EQ(BytesIn(*engine_), kQuota);
  EXPECT_TRUE(CreateFile("other")->Write(0, Bytes("x")).Is(ErrorCode::kQuotaExceeded));
  ASSERT_TRUE(Remove("file").ok());
  ASSERT_TRUE(Remove("other").ok());
  ExpectLedgerIs(*engine_, bucket_, 0);
}

TEST_F(QuotaFilesTest, TruncateAndAllocateAreRefusedWhole) {
  SetQuotas(*engine_, kQuota);
  auto handle = CreateFile("file");
  ASSERT_TRUE(handle->Write(0, Bytes("12345")).ok());
  EXPECT_TRUE(IsQuota(Truncate("file", kQuota + 1)));
  EXPECT_EQ(SizeOf("file"), 5u);
  for (const AllocateMode mode : {AllocateMode::kExtend, AllocateMode::kKeepSize,
                                  AllocateMode::kZero, AllocateMode::kZeroKeepSize}) {
    EXPECT_TRUE(IsQuota(handle->Allocate(mode, 0, kQuota + 1)));
  }
  EXPECT_EQ(SizeOf("file"), 5u);
  EXPECT_TRUE(Truncate("file", kQuota).ok());
  EXPECT_TRUE(Truncate("file", 10).ok());
  EXPECT_TRUE(handle->Allocate(AllocateMode::kExtend, 0, kQuota).ok());
  EXPECT_TRUE(handle->Allocate(AllocateMode::kPunch, 0, 2 * kQuota).ok());
  handle.reset();
  ExpectLedgerIs(*engine_, bucket_, kQuota);
}

TEST_F(QuotaFilesTest, ACopyEndsAtTheQuota) {
  WriteFile(root_, "source", Pattern(300'000, 2));
  SetQuotas(*engine_, 500'000);
  auto source = OpenFile("source", {});
  auto target = CreateFile("target");
  const auto copied = source->CopyTo(0, *target, 0, 300'000);
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(*copied, 200'000u);
  EXPECT_TRUE(source->CopyTo(200'000, *target, 200'000, 100'000).Is(ErrorCode::kQuotaExceeded));
  target.reset();
  source.reset();
  ExpectLedgerIs(*engine_, bucket_, 500'000);
}

TEST_F(QuotaFilesTest, InodesAreCountedAlsoOfDirectoriesAndLinks) {
  SetQuotas(*engine_, std::nullopt, 3);
  Mkdir(root_, "dir");
  WriteFile(root_, "one", "1");
  NewNode symlink{.kind = FileKind::kSymlink, .symlink_target = "one"};
  ASSERT_TRUE(files().MakeNode(caller_, root_, "link", symlink).ok());
  NewNode node;
  EXPECT_TRUE(files().MakeNode(caller_, root_, "more", node).Is(ErrorCode::kQuotaExceeded));
  EXPECT_TRUE(files().Lookup(root_, "more").Is(ErrorCode::kNotFound));
  // A second name is no second inode.
  EXPECT_TRUE(files().Link(caller_, files().Lookup(root_, "one")->inode, root_, "two").ok());
  ASSERT_TRUE(Remove("link").ok());
  EXPECT_TRUE(files().MakeNode(caller_, root_, "more", node).ok());
}

TEST_F(QuotaFilesTest, AQuotaBelowWhatIsThereOnlyStopsGrowth) {
  WriteFile(root_, "file", Pattern(kQuota, 3));
  SetQuotas(*engine_, 1000, 1);
  auto handle = OpenForWrite("file");
  EXPECT_TRUE(handle->Write(0, Bytes("again")).ok());
  EXPECT_TRUE(handle->Write(kQuota, Bytes("x")).Is(ErrorCode::kQuotaExceeded));
  handle.reset();
  EXPECT_TRUE(Truncate("file", 2000).ok());
  EXPECT_TRUE(IsQuota(Truncate("file", 2001)));
  EXPECT_TRUE(Truncate("file", 10).ok());
  EXPECT_TRUE(Truncate("file", 1000).ok());
  EXPECT_EQ(files().GetUsage(root_)->files_free, 0u);
}

TEST_F(QuotaFilesTest, AnUnlinkedFileCountsWhileItIsOpen) {
  SetQuotas(*engine_, kQuota);
  auto handle = CreateFile("file");
  ASSERT_TRUE(handle->Write(0, Bytes(Pattern(kQuota / 2, 4))).ok());
  ASSERT_TRUE(Remove("file").ok());
  const auto grown = handle->Write(kQuota / 2, Bytes(Pattern(kQuota, 5)));
  ASSERT_TRUE(grown.ok());
  EXPECT_EQ(*grown, kQuota / 2);
  EXPECT_TRUE(CreateFile("other")->Write(0, Bytes("x")).Is(ErrorCode::kQuotaExceeded));
  handle.reset();
  ASSERT_TRUE(Remove("other").ok());
  ExpectLedgerIs(*engine_, bucket_, 0);
}

TEST_F(QuotaFilesTest, AnUnnamedFileGetsItsNameWithinTheQuota) {
  SetQuotas(*engine_, kQuota);
  OpenOptions options;
  options.write = true;
  auto opened = files().CreateUnnamed(caller_, root_, 0644, options);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(opened->handle->Write(0, Bytes(Pattern(kQuota, 6))).ok());
  // It is not asked for twice what it holds already.
  ASSERT_TRUE(files().Link(caller_, opened->attributes.inode, root_, "named").ok());
  EXPECT_TRUE(opened->handle->Write(kQuota, Bytes("x")).Is(ErrorCode::kQuotaExceeded));
  opened->handle->Release();
  EXPECT_EQ(BytesIn(*engine_), kQuota);
  ExpectLedgerIs(*engine_, bucket_, kQuota);
}

TEST_F(QuotaFilesTest, WritersAtOnceNeverOvershoot) {
  SetQuotas(*engine_, kQuota);
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> written{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto handle = CreateFile("file" + std::to_string(i));
      const std::string piece = Pattern(3001, static_cast<unsigned>(i));
      for (std::uint64_t at = 0;;) {
        const auto count = handle->Write(at, Bytes(piece));
        if (!count.ok()) {
          EXPECT_TRUE(count.Is(ErrorCode::kQuotaExceeded));
          return;
        }
        at += *count;
        written += *count;
        if (at % 7 == 0) {
          EXPECT_TRUE(handle->Flush().ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(written.load(), kQuota);
  EXPECT_EQ(BytesIn(*engine_), kQuota);
  ExpectLedgerIs(*engine_, bucket_, kQuota);
}

TEST_F(QuotaFilesTest, TheLedgerIsRebuiltAtStart) {
  WriteFile(root_, "file", Pattern(70'000, 7));
  SetQuotas(*engine_, 70'003, 2);
  Reopen();
  auto handle = OpenForWrite("file");
  const auto count = handle->Write(70'000, Bytes("12345"));
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(*count, 3u);
  handle.reset();
  WriteFile(root_, "empty", "");
  NewNode node;
  EXPECT_TRUE(files().MakeNode(caller_, root_, "third", node).Is(ErrorCode::kQuotaExceeded));
  ExpectLedgerIs(*engine_, bucket_, 70'003);
}

TEST_F(QuotaFilesTest, WritersInAFileThatReadersHaveInPassthroughComeToTheDaemon) {
  WriteFile(root_, "large", Pattern(100'000, 8));
  OpenOptions reading;
  reading.passthrough_possible = true;
  OpenOptions writing = reading;
  writing.write = true;
  SetQuotas(*engine_, 100'010);
  EXPECT_EQ(OpenFile("large", writing)->mode(), AccessMode::kDaemon);
  auto reader = OpenFile("large", reading);
  ASSERT_EQ(reader->mode(), AccessMode::kPassthrough);
  EXPECT_FALSE(reader->comes_to_daemon());
  auto writer = OpenFile("large", writing);
  EXPECT_TRUE(writer->comes_to_daemon());
  const auto count = writer->Write(100'000, Bytes(Pattern(20, 9)));
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(*count, 10u);
  EXPECT_EQ(SizeOf("large"), 100'010u);
  EXPECT_TRUE(writer->Write(100'010, Bytes("x")).Is(ErrorCode::kQuotaExceeded));
  writer.reset();
  reader.reset();
  ExpectLedgerIs(*engine_, bucket_, 100'010);
}

TEST_F(QuotaFilesTest, StatfsShowsWhatTheQuotaLeaves) {
  SetQuotas(*engine_, 40 * 4096, 5);
  WriteFile(root_, "file", Pattern(4096 * 10, 10));
  const auto usage = files().GetUsage(root_);
  ASSERT_TRUE(usage.ok());
  EXPECT_EQ(usage->blocks * usage->block_bytes, 40u * 4096);
  EXPECT_EQ(usage->blocks_available * usage->block_bytes, 30u * 4096);
  EXPECT_EQ(usage->files, 5u);
  EXPECT_EQ(usage->files_free, 4u);
  EXPECT_GT(files().GetUsage(kStoreRoot)->blocks, 1000u);
}

}  // namespace
}  // namespace amphora::fs
