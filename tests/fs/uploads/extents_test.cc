// Content in several blobs, as POSIX and S3 see it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "tests/fs/uploads/upload_fixture.h"

namespace amphora::fs {
namespace {

using test::kPartBytes;
using test::Pattern;

class ExtentsTest : public test::UploadTest {
 protected:
  void SetUp() override {
    test::UploadTest::SetUp();
    ASSERT_TRUE(ArmFailpoint("fs.join.blob_sync", "fail"));
    const std::vector<std::string> parts = {Pattern(kPartBytes, 1), Pattern(kPartBytes + 10, 2),
                                            Pattern(1000, 3)};
    bytes_ = Join(parts);
    etag_ = PutParts("key", parts);
    ASSERT_TRUE(HasExtents());
  }

  std::string Read(FileHandle& handle, std::uint64_t offset, std::size_t length) {
    std::string read(length, '\0');
    const auto count = handle.Read(offset, std::as_writable_bytes(std::span(read)));
    EXPECT_TRUE(count.ok());
    read.resize(count.value_or(0));
    return read;
  }

  std::string bytes_;
  std::string etag_;
};

TEST_F(ExtentsTest, PosixReadsAcrossTheBlobsWithoutJoiningThem) {
  const auto found = Find("key");
  EXPECT_EQ(found->size, bytes_.size());
  EXPECT_GE(found->allocated, bytes_.size());
  auto handle = Open(found->inode, false);
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{kPartBytes - 5},
                                     std::uint64_t{2 * kPartBytes + 5}, bytes_.size() - 1}) {
    EXPECT_EQ(Read(*handle, offset, 100), bytes_.substr(offset, 100)) << offset;
  }
  EXPECT_EQ(Read(*handle, bytes_.size(), 10), "");
  EXPECT_EQ(handle->Seek(SeekTarget::kHole, 7).value(), bytes_.size());
  EXPECT_EQ(handle->Seek(SeekTarget::kData, 7).value(), 7u);
  handle->Release();
  EXPECT_TRUE(HasExtents());
  EXPECT_EQ(Head("key")->etag, etag_);
}

TEST_F(ExtentsTest, AGetReadsAnyRange) {
  auto reader = objects().Open(bucket_, "key");
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE((*reader)->in_files());
  std::string part(300, '\0');
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{kPartBytes - 100},
                                     std::uint64_t{2 * kPartBytes}, bytes_.size() - 300}) {
    ASSERT_EQ((*reader)->Read(offset, std::as_writable_bytes(std::span(part))).value(), 300u);
    EXPECT_EQ(part, bytes_.substr(offset, 300));
  }
}

// What sendfile(2) is given: a file for each run, from anywhere in it.
TEST_F(ExtentsTest, AGetIsSentPieceByPiece) {
  auto reader = objects().Open(bucket_, "key");
  ASSERT_TRUE(reader.ok() && (*reader)->in_files());
  for (std::uint64_t begin : {std::uint64_t{0}, std::uint64_t{kPartBytes + 7}}) {
    std::string got;
    std::size_t pieces = 0;
    while (begin + got.size() < bytes_.size()) {
      const auto piece = (*reader)->PieceAt(begin + got.size());
      ASSERT_TRUE(piece.ok()) << piece.error().ToString();
      std::string part(piece->length, '\0');
      ASSERT_EQ(::pread(piece->file, part.data(), part.size(), static_cast<off_t>(piece->offset)),
                static_cast<ssize_t>(part.size()));
      got += part;
      ++pieces;
    }
    EXPECT_EQ(got, bytes_.substr(begin));
    EXPECT_GT(pieces, begin == 0 ? 1u : 0u);
  }
  EXPECT_TRUE((*reader)->PieceAt(bytes_.size()).Is(ErrorCode::kOutOfRange));
}

TEST_F(ExtentsTest, AGetThatIsSentOutlivesTheObjectAndItsJoin) {
  auto reader = objects().Open(bucket_, "key");
  ASSERT_TRUE(reader.ok());
  auto handle = Open(Find("key")->inode, true);
  ASSERT_TRUE(handle->Write(0, Bytes("overwritten")).ok());
  ASSERT_TRUE(handle->Sync().ok());
  handle->Release();
  EXPECT_TRUE(Delete("key"));
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  std::string got;
  while (got.size() < bytes_.size()) {
    const auto piece = (*reader)->PieceAt(got.size());
    ASSERT_TRUE(piece.ok()) << piece.error().ToString();
    std::string part(piece->length, '\0');
    ASSERT_EQ(::pread(piece->file, part.data(), part.size(), static_cast<off_t>(piece->offset)),
              static_cast<ssize_t>(part.size()));
    got += part;
  }
  EXPECT_EQ(got, bytes_);
  reader->reset();
  EXPECT_EQ(BlobFiles(), 0u);
}

TEST_F(ExtentsTest, AWriteMakesOneBlobFirst) {
  auto handle = Open(Find("key")->inode, true);
  EXPECT_TRUE(handle->WriteMayWait());
  ASSERT_TRUE(handle->Write(kPartBytes - 1, Bytes("XYZ")).ok());
  bytes_.replace(kPartBytes - 1, 3, "XYZ");
  EXPECT_EQ(GetObject("key").value(), bytes_) << "visible at once";
  ASSERT_TRUE(handle->Sync().ok());
  handle->Release();
  EXPECT_FALSE(HasExtents());
  EXPECT_TRUE(Rows("join").empty());
  EXPECT_NE(Head("key")->etag, etag_);
  EXPECT_FALSE(Head("key")->checksum);
  Reopen();
  EXPECT_EQ(GetObject("key").value(), bytes_);
  EXPECT_EQ(BlobFiles(), 1u);
}

TEST_F(ExtentsTest, TruncationAndReservationJoinToo) {
  ASSERT_TRUE(Copy("key", "zero").ok());
  ASSERT_TRUE(Copy("key", "longer").ok());
  const auto truncate = [&](std::string_view key, std::uint64_t size) {
    AttributeChange changes;
    changes.size = size;
    EXPECT_TRUE(files().SetAttributes(caller_, Find(key)->inode, changes, nullptr).ok());
  };
  truncate("key", kPartBytes + 3);
  truncate("zero", 0);
  EXPECT_EQ(GetObject("key").value(), bytes_.substr(0, kPartBytes + 3));
  EXPECT_EQ(GetObject("zero").value(), "");
  auto handle = Open(Find("longer")->inode, true);
  ASSERT_TRUE(handle->Allocate(AllocateMode::kPunch, 10, 100).ok());
  handle->Release();
  EXPECT_EQ(GetObject("longer").value(),
            bytes_.substr(0, 10) + std::string(100, '\0') + bytes_.substr(110));
  EXPECT_FALSE(HasExtents());
  EXPECT_EQ(BlobFiles(), 2u);
}

TEST_F(ExtentsTest, CopyFileRangeReadsThem) {
  WriteFile(root_, "target", "");
  auto from = Open(Find("key")->inode, false);
  auto to = Open(Find("target")->inode, true);
  std::uint64_t done = 0;
  while (done < bytes_.size()) {
    const auto copied = from->CopyTo(done, *to, done, bytes_.size() - done);
    ASSERT_TRUE(copied.ok() && *copied > 0);
    done += *copied;
  }
  to->Release();
  EXPECT_EQ(GetObject("target").value(), bytes_);
}

TEST_F(ExtentsTest, DeletionFreesAllBlobsButNotUnderAReader) {
  auto reader = objects().Open(bucket_, "key");
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE(Delete("key"));
  EXPECT_GT(BlobFiles(), 0u) << "a reader has them pinned";
  std::string read(bytes_.size(), '\0');
  ASSERT_TRUE((*reader)->Read(0, std::as_writable_bytes(std::span(read))).ok());
  EXPECT_EQ(read, bytes_);
  reader->reset();
  EXPECT_EQ(BlobFiles(), 0u);
  EXPECT_TRUE(Rows("extent").empty() && Rows("blob").empty());
}

TEST_F(ExtentsTest, AnOpenFileIsJoinedOnlyOnceItIsClosed) {
  DisarmAllFailpoints();
  auto handle = Open(Find("key")->inode, false);
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_TRUE(HasExtents());
  EXPECT_EQ(Read(*handle, 0, bytes_.size()), bytes_);
  handle->Release();
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_FALSE(HasExtents());
  EXPECT_EQ(GetObject("key").value(), bytes_);
  EXPECT_EQ(Head("key")->etag, etag_);
}

TEST_F(ExtentsTest, ReadersAndWritersBesideTheJoinSeeWholeContent) {
  DisarmAllFailpoints();
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) EXPECT_EQ(GetObject("key").value(), bytes_);
  });
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(Copy("key", "other").ok());
    ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
    const std::vector<std::string> parts = {bytes_.substr(0, kPartBytes),
                                            bytes_.substr(kPartBytes, kPartBytes + 10),
                                            bytes_.substr(2 * kPartBytes + 10)};
    PutParts("key", parts);
    EXPECT_EQ(GetObject("other").value(), bytes_);
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace amphora::fs
