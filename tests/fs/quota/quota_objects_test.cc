// Quotas as S3 meets them: PUT, copies and parts are refused before they are acknowledged.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/fs/quota/limits.h"
#include "tests/fs/uploads/upload_fixture.h"

namespace amphora::fs {
namespace {

using test::BytesIn;
using test::ExpectLedgerIs;
using test::kPartBytes;
using test::Pattern;
using test::SetQuotas;

class QuotaObjectsTest : public test::UploadTest {
 protected:
  bool Refused(std::string_view key, std::string_view content) {
    return PutObject(key, content).Is(ErrorCode::kQuotaExceeded);
  }
};

TEST_F(QuotaObjectsTest, APutIsRefusedAndLeavesWhatWasThere) {
  SetQuotas(*engine_, 10);
  ASSERT_TRUE(PutObject("key", "12345").ok());
  EXPECT_TRUE(Refused("other", "123456"));
  EXPECT_TRUE(Refused("key", "12345678901"));
  EXPECT_EQ(*GetObject("key"), "12345");
  EXPECT_TRUE(objects().Head(bucket_, "other").Is(ErrorCode::kNotFound));
  // What is replaced makes room.
  EXPECT_TRUE(PutObject("key", "1234567890").ok());
  EXPECT_TRUE(objects().Delete(caller_, bucket_, "key").ok());
  ExpectLedgerIs(*engine_, bucket_, 0);
}

TEST_F(QuotaObjectsTest, ADeclaredSizeIsRefusedBeforeItsBytesCome) {
  SetQuotas(*engine_, 1000);
  ASSERT_TRUE(PutObject("key", std::string(900, 'x')).ok());
  EXPECT_TRUE(
      objects()
          .BeginPut({.bucket = bucket_, .key = "other", .declared_size = 101, .digests = {}})
          .Is(ErrorCode::kQuotaExceeded));
  EXPECT_TRUE(
      objects()
          .BeginPut({.bucket = bucket_, .key = "other", .declared_size = 100, .digests = {}})
          .ok());
  EXPECT_TRUE(objects()
                  .BeginPut({.bucket = bucket_, .key = "key", .declared_size = 1000, .digests = {}})
                  .ok());
  const UploadName upload = Begin("upload");
  EXPECT_TRUE(BeginPart(upload, 1, 101).Is(ErrorCode::kQuotaExceeded));
}

TEST_F(QuotaObjectsTest, DirectoriesOnTheWayAreInodesToo) {
  SetQuotas(*engine_, std::nullopt, 3);
  EXPECT_TRUE(Refused("a/b/c/d", "x"));
  EXPECT_TRUE(PutObject("a/b/c", "x").ok());
  EXPECT_TRUE(Refused("z", "x"));
  EXPECT_TRUE(PutObject("a/b/c", "again").ok());
  // The last key takes its directories along.
  EXPECT_TRUE(objects().Delete(caller_, bucket_, "a/b/c").ok());
  EXPECT_TRUE(PutObject("x/y/z", "x").ok());
}

TEST_F(QuotaObjectsTest, CopiesCountInFullAlthoughTheyShare) {
  ASSERT_TRUE(PutObject("source", Pattern(100'000, 1)).ok());
  SetQuotas(*engine_, 199'999);
  CopyRequest request;
  request.source_bucket = request.bucket = bucket_;
  request.source_key = "source";
  request.key = "copy";
  EXPECT_TRUE(objects().Copy(request).Is(ErrorCode::kQuotaExceeded));
  SetQuotas(*engine_, 200'000);
  EXPECT_TRUE(objects().Copy(request).ok());
  ExpectLedgerIs(*engine_, bucket_, 200'000);
}

TEST_F(QuotaObjectsTest, PartsCountFromTheirUploadToTheEnd) {
  SetQuotas(*engine_, 2 * kPartBytes);
  const UploadName upload = Begin("key");
  auto parts = Parts(upload, {Pattern(kPartBytes, 1), Pattern(kPartBytes, 2)});
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(BytesIn(*engine_), 2 * kPartBytes);
  EXPECT_TRUE(Part(upload, 3, "x").Is(ErrorCode::kQuotaExceeded));
  EXPECT_TRUE(Refused("other", "x"));
  // A part in place of another counts once.
  const auto again = Part(upload, 2, Pattern(kPartBytes, 3));
  ASSERT_TRUE(again.ok());
  parts[1] = *again;
  // At the quota to the byte, Complete has all it needs.
  ASSERT_TRUE(Complete(upload, parts).ok());
  EXPECT_EQ(BytesIn(*engine_), 2 * kPartBytes);
  ExpectLedgerIs(*engine_, bucket_, 2 * kPartBytes);
}

TEST_F(QuotaObjectsTest, AnAbortedUploadGivesItsBytesBackAlsoAfterARestart) {
  const UploadName upload = Begin("key");
  ASSERT_TRUE(Part(upload, 1, Pattern(1000, 1)).ok());
  ASSERT_TRUE(Part(upload, 2, Pattern(500, 2)).ok());
  Reopen();
  ExpectLedgerIs(*engine_, bucket_, 1500);
  ASSERT_TRUE(uploads().Abort(upload).ok());
  ExpectLedgerIs(*engine_, bucket_, 0);
}

TEST_F(QuotaObjectsTest, PutsAtOnceNeverOvershoot) {
  SetQuotas(*engine_, 100'000, 60);
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> stored{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 20; ++n) {
        const std::string key = "k" + std::to_string(i) + "-" + std::to_string(n);
        const Status put = PutObject(key, std::string(1777, 'x'));
        if (put.ok()) stored += 1777;
        EXPECT_TRUE(put.ok() || put.Is(ErrorCode::kQuotaExceeded)) << put.error().ToString();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(BytesIn(*engine_), stored.load());
  // As many as fit, not one less.
  EXPECT_EQ(stored.load(), 100'000u / 1777 * 1777);
  ExpectLedgerIs(*engine_, bucket_, stored.load());
}

TEST_F(QuotaObjectsTest, SettingsSurviveAndCanBeTakenAway) {
  BucketSettingsChange change;
  change.quota_bytes = 12345;
  change.quota_inodes = 7;
  change.publish = Publish::kClose;
  change.posix_metadata = PosixMetadata::kAll;
  change.s3_uid = 11;
  change.s3_gid = 0;
  change.s3_permissions = 0;
  ASSERT_TRUE(engine_->buckets().ChangeSettings("s3v", "bucket", change).ok());
  Reopen();
  const auto shown = engine_->buckets().GetBucket("s3v", "bucket");
  ASSERT_TRUE(shown.ok());
  const BucketSettings expected{.quota_bytes = 12345,
                                .quota_inodes = 7,
                                .publish = Publish::kClose,
                                .posix_metadata = PosixMetadata::kAll,
                                .s3_uid = 11,
                                .s3_gid = 0,
                                .s3_permissions = 0};
  EXPECT_EQ(shown->settings, expected);
  BucketSettingsChange none;
  none.quota_bytes.emplace(std::nullopt);
  none.s3_uid.emplace(std::nullopt);
  ASSERT_TRUE(engine_->buckets().ChangeSettings("s3v", "bucket", none).ok());
  const BucketSettings now = engine_->buckets().SettingsOf(bucket_);
  EXPECT_FALSE(now.quota_bytes);
  EXPECT_FALSE(now.s3_uid);
  EXPECT_EQ(now.quota_inodes, 7u);
  EXPECT_TRUE(engine_->buckets().ChangeSettings("s3v", "none", none).Is(ErrorCode::kNoSuchBucket));
}

}  // namespace
}  // namespace amphora::fs
