// Multipart uploads, copies and joins cut off between their steps, as kill -9 would. Every engine
// lives in a child process (tests/fs/data/child.h).
#include <gtest/gtest.h>

#include <filesystem>

#include "fs/engine.h"
#include "meta/base/failpoint.h"
#include "meta/base/metrics.h"
#include "tests/fs/data/child.h"
#include "tests/fs/uploads/upload_fixture.h"

namespace amphora::fs {
namespace {

using test::InChild;
using test::kCutOff;
using test::kPartBytes;
using test::Pattern;

constexpr const char* kExit = "exit";

// One engine, opened in the child that makes it; knows the upload by its only listing.
class Store {
 public:
  explicit Store(const std::string& directory) : directory_(directory) {
    EngineOptions options;
    options.data_directory = directory;
    auto engine = Engine::Open(options);
    EXPECT_TRUE(engine.ok());
    if (!engine.ok()) test::CutOff();
    engine_ = std::move(*engine);
    const auto bucket = engine_->buckets().FindBucket("s3v", "bucket");
    if (bucket.ok()) {
      bucket_ = bucket->id;
    } else {
      bucket_ = engine_->buckets().CreateBucket(Caller(), "tester", "s3v", "bucket")->info.id;
    }
  }

  Engine& engine() { return *engine_; }
  BucketId bucket() const { return bucket_; }

  UploadName Begin() {
    CreateUploadRequest request;
    request.bucket = bucket_;
    request.key = "key";
    const auto created = engine_->uploads().Create(request);
    EXPECT_TRUE(created.ok());
    EXPECT_TRUE(engine_->WaitDurable(created->ticket).ok());
    return {bucket_, "key", created->info.id};
  }
  // The upload that an earlier child began.
  UploadName Found() {
    const auto uploads = Uploads();
    EXPECT_EQ(uploads.size(), 1u);
    return {bucket_, "key", uploads.empty() ? "" : uploads[0].id};
  }
  std::vector<UploadInfo> Uploads() {
    ListUploadsRequest request;
    request.bucket = bucket_;
    const auto page = engine_->uploads().ListUploads(request);
    EXPECT_TRUE(page.ok());
    return page->uploads;
  }
  Result<CompletedPart> Part(const UploadName& upload, std::uint32_t number,
                             std::string_view bytes) {
    AMPHORA_ASSIGN(
        auto writer,
        engine_->uploads().BeginPart(
            {.upload = upload, .number = number, .declared_size = bytes.size(), .digests = {}}));
    AMPHORA_TRY(writer->Append(std::as_bytes(std::span(bytes))));
    AMPHORA_ASSIGN(const auto outcome, writer->Commit({}));
    AMPHORA_TRY(engine_->WaitDurable(outcome.ticket));
    return CompletedPart{number, outcome.part.etag, std::nullopt};
  }
  std::vector<CompletedPart> Listed(const UploadName& upload) {
    std::vector<CompletedPart> parts;
    const auto page = engine_->uploads().ListParts({.upload = upload});
    EXPECT_TRUE(page.ok());
    for (const PartInfo& part : page->parts) parts.push_back({part.number, part.etag, {}});
    return parts;
  }
  Result<CompleteOutcome> Complete(const UploadName& upload, std::vector<CompletedPart> parts) {
    CompleteRequest request;
    request.upload = upload;
    request.parts = std::move(parts);
    return engine_->uploads().Complete(request);
  }
  std::string Content(std::string_view key) {
    auto reader = engine_->objects().Open(bucket_, key);
    if (!reader.ok()) return "(" + reader.error().ToString() + ")";
    std::string bytes((*reader)->info().size, '\0');
    EXPECT_TRUE((*reader)->Read(0, std::as_writable_bytes(std::span(bytes))).ok());
    return bytes;
  }
  void ExpectConsistent() {
    const auto report = engine_->admin().Check({});
    ASSERT_TRUE(report.ok());
    for (const Finding& finding : report->findings) {
      ADD_FAILURE() << finding.kind << ": " << finding.what;
    }
  }
  std::size_t BlobFiles() {
    EXPECT_TRUE(engine_->admin().CollectGarbage({}).ok());
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_ + "/blobs")) {
      if (entry.is_regular_file() && entry.file_size() > 0) ++count;
    }
    return count;
  }

 private:
  const std::string directory_;
  std::unique_ptr<Engine> engine_;
  BucketId bucket_;
};

class UploadCrashTest : public ::testing::Test {
 protected:
  void In(int status, const std::function<void(Store&)>& body) {
    EXPECT_EQ(InChild([&] {
                Store store(scratch_.path() + "/data");
                body(store);
              }),
              status);
  }

  test::ScratchDirectory scratch_;
};

const std::string kFirst = Pattern(kPartBytes, 1);
const std::string kSecond = Pattern(kPartBytes, 2);

TEST_F(UploadCrashTest, APartThatWasAnsweredIsThereAndACutOneIsNot) {
  In(kCutOff, [](Store& store) {
    const auto upload = store.Begin();
    EXPECT_TRUE(store.Part(upload, 1, kFirst).ok());
    EXPECT_TRUE(ArmFailpoint("fs.part.before_commit", kExit));
    (void)store.Part(upload, 2, kSecond);
  });
  In(0, [](Store& store) {
    const auto upload = store.Found();
    const auto parts = store.Listed(upload);
    ASSERT_EQ(parts.size(), 1u);
    store.ExpectConsistent();
    EXPECT_TRUE(store.Complete(upload, parts).ok());
    EXPECT_EQ(store.Content("key"), kFirst);
    store.ExpectConsistent();
    EXPECT_EQ(store.BlobFiles(), 1u);
  });
}

TEST_F(UploadCrashTest, APartsRowFollowsTheSyncOfItsBytes) {
  In(kCutOff, [](Store& store) {
    const auto upload = store.Begin();
    EXPECT_TRUE(ArmFailpoint("fs.part.blob_sync", kExit));
    (void)store.Part(upload, 1, kFirst);
  });
  In(0, [](Store& store) {
    const auto upload = store.Found();
    EXPECT_TRUE(store.Listed(upload).empty());
    EXPECT_TRUE(store.engine().uploads().Abort(upload).ok());
    store.ExpectConsistent();
    EXPECT_EQ(store.BlobFiles(), 0u);
  });
}

TEST_F(UploadCrashTest, AReuploadThatIsCutLeavesTheOldPart) {
  In(kCutOff, [](Store& store) {
    const auto upload = store.Begin();
    EXPECT_TRUE(store.Part(upload, 1, kFirst).ok());
    EXPECT_TRUE(ArmFailpoint("fs.part.before_commit", kExit));
    (void)store.Part(upload, 1, kSecond);
  });
  In(0, [](Store& store) {
    const auto upload = store.Found();
    EXPECT_TRUE(store.Complete(upload, store.Listed(upload)).ok());
    EXPECT_EQ(store.Content("key"), kFirst);
    EXPECT_EQ(store.BlobFiles(), 1u);
  });
}

TEST_F(UploadCrashTest, ACutCompleteChangedNothingAndAnAnsweredOneEverything) {
  In(kCutOff, [](Store& store) {
    const auto upload = store.Begin();
    const auto one = store.Part(upload, 1, kFirst);
    const auto two = store.Part(upload, 2, kSecond);
    EXPECT_TRUE(ArmFailpoint("fs.complete.before_commit", kExit));
    (void)store.Complete(upload, {*one, *two});
  });
  std::string id;
  In(kCutOff, [](Store& store) {
    const auto upload = store.Found();
    EXPECT_EQ(store.Listed(upload).size(), 2u);
    EXPECT_NE(store.Content("key"), kFirst + kSecond);
    store.ExpectConsistent();
    EXPECT_TRUE(ArmFailpoint("fs.complete.after_commit", kExit));
    (void)store.Complete(upload, store.Listed(upload));
  });
  In(0, [](Store& store) {
    EXPECT_EQ(store.Content("key"), kFirst + kSecond) << "kill -9 takes no commit back";
    EXPECT_TRUE(store.Uploads().empty());
    store.ExpectConsistent();
    EXPECT_EQ(store.BlobFiles(), 1u);
  });
}

TEST_F(UploadCrashTest, ACutAbortLeavesTheUploadWhole) {
  In(kCutOff, [](Store& store) {
    const auto upload = store.Begin();
    EXPECT_TRUE(store.Part(upload, 1, kFirst).ok());
    EXPECT_TRUE(ArmFailpoint("fs.upload.before_abort", kExit));
    (void)store.engine().uploads().Abort(upload);
  });
  In(0, [](Store& store) {
    const auto upload = store.Found();
    EXPECT_EQ(store.Listed(upload).size(), 1u);
    EXPECT_TRUE(store.engine().uploads().Abort(upload).ok());
    store.ExpectConsistent();
    EXPECT_EQ(store.BlobFiles(), 0u);
  });
}

TEST_F(UploadCrashTest, AJoinThatIsCutLeavesTheExtentsOrTheBlob) {
  In(kCutOff, [](Store& store) {
    EXPECT_TRUE(ArmFailpoint("fs.join.blob_sync", "fail"));
    const auto upload = store.Begin();
    const auto one = store.Part(upload, 1, kFirst);
    const auto two = store.Part(upload, 2, kSecond + "more");
    const auto three = store.Part(upload, 3, kFirst);
    EXPECT_TRUE(store.Complete(upload, {*one, *two, *three}).ok());
    EXPECT_TRUE(ArmFailpoint("fs.join.blob_sync", "off"));
    EXPECT_TRUE(ArmFailpoint("fs.join.before_commit", kExit));
    (void)store.engine().admin().CollectGarbage({});
  });
  In(0, [](Store& store) {
    EXPECT_EQ(store.Content("key"), kFirst + kSecond + "more" + kFirst);
    store.ExpectConsistent();
    EXPECT_EQ(store.BlobFiles(), 1u);
    EXPECT_EQ(store.Content("key"), kFirst + kSecond + "more" + kFirst);
    store.ExpectConsistent();
  });
}

// The join's blob is durable before the transaction that drops the extents.
TEST_F(UploadCrashTest, AJoinSyncsBeforeItCommits) {
  In(kCutOff, [](Store& store) {
    EXPECT_TRUE(ArmFailpoint("fs.join.blob_sync", "fail"));
    const auto upload = store.Begin();
    const auto one = store.Part(upload, 1, kFirst);
    const auto two = store.Part(upload, 2, kSecond + "more");
    EXPECT_TRUE(store.Complete(upload, {*one, *two}).ok());
    EXPECT_FALSE(store.engine().admin().CollectGarbage({}).ok());
    bool extents = false;
    EXPECT_TRUE(store.engine()
                    .admin()
                    .Dump([&](std::string_view line) {
                      extents = extents || line.starts_with("extent ");
                      return true;
                    })
                    .ok());
    EXPECT_TRUE(extents) << "the sync failed, so nothing was dropped";
    test::CutOff();
  });
  In(0, [](Store& store) { EXPECT_EQ(store.Content("key"), kFirst + kSecond + "more"); });
}

TEST_F(UploadCrashTest, ACutCopyLeavesNothingAndAnAnsweredOneSharesTheBlob) {
  In(kCutOff, [](Store& store) {
    const auto upload = store.Begin();
    const auto one = store.Part(upload, 1, kFirst);
    EXPECT_TRUE(store.Complete(upload, {*one}).ok());
    CopyRequest request;
    request.source_bucket = request.bucket = store.bucket();
    request.source_key = "key";
    request.key = "copy";
    const auto copied = store.engine().objects().Copy(request);
    EXPECT_TRUE(copied.ok() && store.engine().WaitDurable(copied->ticket).ok());
    request.key = "another";
    EXPECT_TRUE(ArmFailpoint("fs.copy.before_commit", kExit));
    (void)store.engine().objects().Copy(request);
  });
  In(0, [](Store& store) {
    EXPECT_EQ(store.Content("copy"), kFirst);
    EXPECT_FALSE(store.engine().objects().Head(store.bucket(), "another").ok());
    store.ExpectConsistent();
    EXPECT_EQ(store.BlobFiles(), 1u);
  });
}

}  // namespace
}  // namespace amphora::fs
