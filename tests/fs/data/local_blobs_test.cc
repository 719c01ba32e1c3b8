// The local blob store by itself, and content on its way in.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "fs/data/local_blobs.h"
#include "meta/base/failpoint.h"
#include "meta/base/metrics.h"
#include "meta/rocks_store.h"
#include "tests/fs/data/file_fixture.h"

namespace amphora::fs {
namespace {

using test::Pattern;

class LocalBlobsTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void TearDown() override { DisarmAllFailpoints(); }

  void Reopen() {
    blobs_.reset();
    ids_.reset();
    store_.reset();
    meta::RocksOptions options;
    options.directory = scratch_.path() + "/meta";
    auto store = meta::OpenRocksStore(options);
    ASSERT_TRUE(store.ok());
    store_ = std::move(*store);
    ids_ = std::make_unique<IdSource>(*store_, "blob", 1, 1024);
    ASSERT_TRUE(ids_->Open().ok());
    auto blobs = OpenLocalBlobs(scratch_.path() + "/blobs", *ids_);
    ASSERT_TRUE(blobs.ok());
    blobs_ = std::move(*blobs);
  }
  std::shared_ptr<Blob> Take(std::string_view bytes) {
    auto blob = blobs_->Take();
    EXPECT_TRUE(blob.ok());
    EXPECT_TRUE((*blob)->Write(0, std::as_bytes(std::span(bytes))).ok());
    return *blob;
  }
  static std::string Bytes(Blob& blob) {
    std::string bytes(blob.Figures()->size, '\0');
    EXPECT_EQ(blob.Read(0, std::as_writable_bytes(std::span(bytes))).value(), bytes.size());
    return bytes;
  }
  std::set<std::uint64_t> Stored() {
    std::set<std::uint64_t> ids;
    EXPECT_TRUE(blobs_
                    ->ForEach(BlobId(0), BlobId(~std::uint64_t{0}),
                              [&](BlobId blob) {
                                ids.insert(blob.value());
                                return Ok();
                              })
                    .ok());
    return ids;
  }

  test::ScratchDirectory scratch_;
  std::unique_ptr<meta::Store> store_;
  std::unique_ptr<IdSource> ids_;
  std::unique_ptr<BlobStore> blobs_;
};

TEST_F(LocalBlobsTest, BytesComeBackAlsoAfterAReopen) {
  const std::string bytes = Pattern(3 << 20, 1);
  const BlobId id = Take(bytes)->id();
  Reopen();
  EXPECT_EQ(Bytes(*blobs_->Open(id).value()), bytes);
  EXPECT_EQ(blobs_->Find(id).value()->size, bytes.size());
}

TEST_F(LocalBlobsTest, OneBlobHasOneObjectWhileItIsUsed) {
  auto blob = Take("x");
  EXPECT_EQ(blobs_->Open(blob->id()).value(), blob);
  const BlobId id = blob->id();
  blob.reset();
  EXPECT_EQ(Bytes(*blobs_->Open(id).value()), "x");
}

TEST_F(LocalBlobsTest, AMissingBlobIsDamage) {
  EXPECT_TRUE(blobs_->Open(BlobId(4711)).Is(ErrorCode::kCorrupt));
  EXPECT_FALSE(blobs_->Find(BlobId(4711)).value().has_value());
  EXPECT_TRUE(blobs_->Remove(BlobId(4711)).ok());
}

TEST_F(LocalBlobsTest, AnOpenBlobStaysReadableAfterItsRemoval) {
  auto blob = Take("still here");
  ASSERT_TRUE(blobs_->Remove(blob->id()).ok());
  EXPECT_EQ(Bytes(*blob), "still here");
  EXPECT_FALSE(blobs_->Find(blob->id()).value().has_value());
}

TEST_F(LocalBlobsTest, ManyTakersGetDifferentBlobsAlsoAfterAReopen) {
  std::mutex mutex;
  std::set<std::uint64_t> ids;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) {
          const auto blob = blobs_->Take();
          ASSERT_TRUE(blob.ok());
          std::lock_guard lock(mutex);
          ASSERT_TRUE(ids.insert((*blob)->id().value()).second);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    Reopen();
  }
  EXPECT_EQ(ids.size(), 800u);
}

TEST_F(LocalBlobsTest, DrainRemovesWhatNobodyTook) {
  const BlobId taken = Take("taken")->id();
  EXPECT_GT(Stored().size(), 1u);
  ASSERT_TRUE(blobs_->Drain().ok());
  EXPECT_EQ(Stored(), std::set<std::uint64_t>{taken.value()});
  EXPECT_FALSE(blobs_->Take().ok());
}

TEST_F(LocalBlobsTest, ACloneIsIndependentOfItsSource) {
  const std::string bytes = Pattern(1 << 20, 2);
  auto source = Take(bytes);
  auto clone = blobs_->Clone(*source, bytes.size()).value();
  ASSERT_TRUE(source->Write(0, std::as_bytes(std::span("changed", 7))).ok());
  EXPECT_EQ(Bytes(*clone), bytes);
  EXPECT_EQ(Bytes(*blobs_->Clone(*clone, 100).value()), bytes.substr(0, 100));
}

TEST_F(LocalBlobsTest, ACloneOfASparseBlobStaysSparse) {
  auto source = Take("start");
  constexpr std::uint64_t kSize = 1 << 30;
  ASSERT_TRUE(source->Write(kSize / 2, std::as_bytes(std::span("middle", 6))).ok());
  ASSERT_TRUE(source->Truncate(kSize).ok());
  auto clone = blobs_->Clone(*source, kSize).value();
  EXPECT_EQ(clone->Figures()->size, kSize);
  EXPECT_LT(clone->Figures()->allocated, 1u << 20);
  std::string got(6, '\0');
  ASSERT_TRUE(clone->Read(kSize / 2, std::as_writable_bytes(std::span(got))).ok());
  EXPECT_EQ(got, "middle");
}

TEST_F(LocalBlobsTest, CopyRangeStopsAtTheEndOfTheSource) {
  auto source = Take("0123456789");
  auto target = Take("abcdefghij");
  EXPECT_EQ(blobs_->CopyRange(*source, 6, *target, 8, 100).value(), 4u);
  EXPECT_EQ(Bytes(*target), "abcdefgh6789");
  EXPECT_EQ(blobs_->CopyRange(*source, 10, *target, 0, 100).value(), 0u);
}

TEST_F(LocalBlobsTest, AFailedSyncPoisonsTheBlobForGood) {
  auto blob = Take("doubtful");
  ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "1*fail"));
  EXPECT_TRUE(blob->Sync().Is(ErrorCode::kIo));
  EXPECT_TRUE(blob->Sync().Is(ErrorCode::kPoisoned)) << "no later success may cover it";
  EXPECT_TRUE(blob->Write(0, {}).Is(ErrorCode::kPoisoned));
  const BlobId id = blob->id();
  blob.reset();
  EXPECT_TRUE(blobs_->Open(id).Is(ErrorCode::kPoisoned));
}

// hazards 5.2: Take answers a name only after the directory that holds it was synced.
TEST_F(LocalBlobsTest, ANameThatCannotBeMadeDurableIsNotAnswered) {
  ASSERT_TRUE(blobs_->Take().ok());
  ASSERT_TRUE(ArmFailpoint("fs.blob.name_sync", "fail"));
  // What was made before is good; nothing that is made now.
  int taken = 1;
  while (taken < 1000 && blobs_->Take().ok()) ++taken;
  EXPECT_LT(taken, 300);
  DisarmAllFailpoints();
  EXPECT_TRUE(blobs_->Take().ok()) << "the disk is well again";
}

TEST_F(LocalBlobsTest, AWritableMappingIsAForeignWriter) {
  auto blob = Take(Pattern(8192, 3));
  const BlobId id = blob->id();
  EXPECT_TRUE(blobs_->HasForeignWriters(id).Is(ErrorCode::kBusy));
  void* mapped = ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, blob->descriptor(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  blob.reset();
  EXPECT_TRUE(blobs_->HasForeignWriters(id).value());
  ::munmap(mapped, 8192);
  EXPECT_FALSE(blobs_->HasForeignWriters(id).value());
  EXPECT_TRUE(blobs_->Open(id).ok()) << "no lease stays behind";
}

TEST_F(LocalBlobsTest, RangesBeyondTheLargestOffsetAreRefused) {
  auto blob = Take("x");
  const std::uint64_t far = ~std::uint64_t{0} - 4;
  EXPECT_TRUE(blob->Write(far, std::as_bytes(std::span("y", 1))).Is(ErrorCode::kFileTooLarge));
  EXPECT_TRUE(blob->Truncate(far).Is(ErrorCode::kFileTooLarge));
  EXPECT_TRUE(blob->Punch(far, 1).Is(ErrorCode::kFileTooLarge));
  EXPECT_EQ(blob->Figures()->size, 1u);
}

class ContentStageTest : public test::FileTest {};

TEST_F(ContentStageTest, ADroppedPutLeavesNoBlob) {
  BeginPutRequest request;
  request.bucket = bucket_;
  request.key = "o";
  auto writer = objects().BeginPut(request);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Append(Bytes(Pattern(4 * test::kInlineLimit, 1))).ok());
  EXPECT_EQ(BlobFiles(), 1u);
  writer->reset();
  EXPECT_EQ(BlobFiles(), 0u);
  EXPECT_TRUE(objects().Head(bucket_, "o").Is(ErrorCode::kNotFound));
}

TEST_F(ContentStageTest, ContentThatWasAnnouncedLargeAndIsSmallStaysInline) {
  BeginPutRequest request;
  request.bucket = bucket_;
  request.key = "o";
  request.declared_size = 1 << 20;
  auto writer = objects().BeginPut(request);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Append(Bytes("small")).ok());
  ASSERT_TRUE((*writer)->Commit({}).ok());
  EXPECT_EQ(GetObject("o").value(), "small");
  EXPECT_EQ(BlobFiles(), 0u);
}

TEST_F(ContentStageTest, ALargePutThatCannotBeSyncedIsNotThere) {
  ASSERT_TRUE(PutObject("o", "before").ok());
  ASSERT_TRUE(ArmFailpoint("fs.put.blob_sync", "fail"));
  EXPECT_FALSE(PutObject("o", Pattern(4 * test::kInlineLimit, 2)).ok());
  EXPECT_EQ(GetObject("o").value(), "before");
  EXPECT_EQ(BlobFiles(), 0u);
}

}  // namespace
}  // namespace amphora::fs
