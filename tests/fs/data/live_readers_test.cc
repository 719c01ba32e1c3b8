// GET beside writers: an answer is the content of one moment, also while the file is written,
// copied up, replaced or removed.
#include <gtest/gtest.h>

#include <thread>

#include "tests/fs/data/file_fixture.h"

namespace amphora::fs {
namespace {

using test::kInlineLimit;
using test::Pattern;
using test::ReadAll;

class LiveReadersTest : public test::FileTest {
 protected:
  static std::string ReadObject(ObjectReader& reader) {
    std::string bytes(reader.info().size, '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto part =
          std::span(bytes).subspan(done, std::min<std::size_t>(4096, bytes.size() - done));
      const auto got = reader.Read(done, std::as_writable_bytes(part));
      EXPECT_TRUE(got.ok());
      if (!got.ok() || *got == 0) break;
      done += *got;
    }
    bytes.resize(done);
    return bytes;
  }
};

TEST_F(LiveReadersTest, AWriterThatComesDuringAGetCopiesFirst) {
  const std::string bytes = Pattern(4 * kInlineLimit, 1);
  ASSERT_TRUE(PutObject("o", bytes).ok());
  auto reader = objects().Open(bucket_, "o");
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE((*reader)->in_files());
  auto writer = OpenForWrite("o");
  EXPECT_TRUE(writer->WriteMayWait()) << "it copies first";
  EXPECT_FALSE(writer->FlushMayWait());
  ASSERT_TRUE(writer->Write(0, Bytes(std::string(bytes.size(), 'w'))).ok());
  EXPECT_FALSE(writer->WriteMayWait());
  EXPECT_TRUE(writer->FlushMayWait()) << "the copy must be durable before the old bytes go";
  EXPECT_EQ(ReadObject(**reader), bytes);
  EXPECT_EQ(GetObject("o").value(), std::string(bytes.size(), 'w'));
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_EQ(ReadObject(**reader), bytes);
  reader->reset();
  writer.reset();
  EXPECT_EQ(GetObject("o").value(), std::string(bytes.size(), 'w'));
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(BlobFiles(), 1u);
}

TEST_F(LiveReadersTest, ATruncateDuringAGetLeavesTheReaderItsBytes) {
  const std::string bytes = Pattern(4 * kInlineLimit, 2);
  ASSERT_TRUE(PutObject("o", bytes).ok());
  for (const std::uint64_t size : {std::uint64_t{10}, std::uint64_t{0}}) {
    ASSERT_TRUE(PutObject("o", bytes).ok());
    auto reader = objects().Open(bucket_, "o");
    ASSERT_TRUE(reader.ok());
    AttributeChange change;
    change.size = size;
    ASSERT_TRUE(
        files().SetAttributes(caller_, files().Lookup(root_, "o")->inode, change, nullptr).ok());
    ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
    EXPECT_EQ(ReadObject(**reader), bytes);
    EXPECT_EQ(GetObject("o").value(), bytes.substr(0, size));
  }
}

TEST_F(LiveReadersTest, AGetOutlivesTheRemovalOfItsKey) {
  const std::string bytes = Pattern(4 * kInlineLimit, 3);
  ASSERT_TRUE(PutObject("o", bytes).ok());
  auto reader = objects().Open(bucket_, "o");
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(objects().Delete(caller_, bucket_, "o").ok());
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(BlobFiles(), 0u);
  EXPECT_EQ(ReadObject(**reader), bytes);
}

// Every GET sees one letter, the size that goes with it and never an ETag that another content had.
TEST_F(LiveReadersTest, GetsNeverSeeTornContentWhileAFileIsRewritten) {
  for (const std::size_t size : {std::size_t{4096}, 8 * kInlineLimit}) {
    SCOPED_TRACE(size);
    WriteFile(root_, "f", std::string(size, 'a'));
    std::atomic<bool> done{false};
    std::thread writer([&] {
      for (int round = 0; round < 200; ++round) {
        auto handle = OpenForWrite("f");
        const std::string bytes(size, static_cast<char>('a' + round % 26));
        ASSERT_TRUE(handle->Write(0, Bytes(bytes)).ok());
        if (round % 2 == 0) {
          ASSERT_TRUE(handle->Flush().ok());
        }
      }
      done = true;
    });
    std::map<std::string, char> letters;
    while (!done) {
      auto reader = objects().Open(bucket_, "f");
      ASSERT_TRUE(reader.ok());
      if (!(*reader)->in_files() && size > kInlineLimit) continue;  // announced: it may change
      const std::string bytes = ReadObject(**reader);
      ASSERT_EQ(bytes.size(), size);
      ASSERT_EQ(bytes.find_first_not_of(bytes[0]), std::string::npos) << "torn";
      const auto [known, fresh] = letters.emplace((*reader)->info().etag, bytes[0]);
      ASSERT_EQ(known->second, bytes[0]) << "one ETag, two contents";
    }
    writer.join();
  }
}

// hazards 2.1: who waits for the disk makes nobody else wait.
TEST_F(LiveReadersTest, ASlowSyncDelaysNoStatNoReadAndNoWrite) {
  auto handle = CreateFile("f");
  const std::string bytes = Pattern(4 * kInlineLimit, 9);
  ASSERT_TRUE(handle->Write(0, Bytes(bytes)).ok());
  ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "1*sleep(3000)"));
  std::atomic<bool> synced{false};
  std::thread syncer([&] {
    EXPECT_TRUE(handle->Sync().ok());
    synced = true;
  });
  while (FailpointVisits("fs.blob.sync") == 0) std::this_thread::yield();
  EXPECT_EQ(files().GetAttributes(handle->inode())->size, bytes.size());
  EXPECT_EQ(ReadAll(*handle, 0, bytes.size()), bytes);
  EXPECT_EQ(GetObject("f").value(), bytes);
  EXPECT_TRUE(handle->Write(0, Bytes("meanwhile")).ok());
  EXPECT_FALSE(synced);
  syncer.join();
}

TEST_F(LiveReadersTest, AWriterGetsItsTurnAmongReadersWithoutPause) {
  auto handle = CreateFile("f");
  ASSERT_TRUE(handle->Write(0, Bytes(Pattern(1 << 20, 10))).ok());
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!done) EXPECT_EQ(ReadAll(*handle, 0, 1 << 20).size(), 1u << 20);
    });
  }
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(handle->Write(0, Bytes("mine")).ok());
  }
  done = true;
  for (auto& reader : readers) reader.join();
}

TEST_F(LiveReadersTest, StatNeverGoesBackWhileAFileIsSettled) {
  auto handle = CreateFile("f");
  const InodeId inode = handle->inode();
  std::atomic<std::uint64_t> written{0};
  std::atomic<bool> done{false};
  std::thread watcher([&] {
    while (!done) {
      const std::uint64_t least = written;
      ASSERT_GE(files().GetAttributes(inode)->size, least);
      ASSERT_GE(objects().Head(bucket_, "f")->size, least);
    }
  });
  handle.reset();
  for (std::uint64_t size = 1; size <= 3000; ++size) {
    auto writer = OpenForWrite("f");
    ASSERT_TRUE(writer->Write(size - 1, Bytes("x")).ok());
    written = size;
  }
  done = true;
  watcher.join();
}

}  // namespace
}  // namespace amphora::fs
