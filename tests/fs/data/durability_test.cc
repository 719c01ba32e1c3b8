// The arrows of hazards section 5: each test cuts the process off, or fails a step, between two
// steps, and fails when they are swapped. Every engine lives in a child process (child.h).
#include <gtest/gtest.h>
#include <unistd.h>

#include "fs/engine.h"
#include "meta/base/metrics.h"
#include "tests/fs/data/child.h"
#include "tests/fs/data/file_fixture.h"

namespace amphora::fs {
namespace {

using test::CutOff;
using test::InChild;
using test::kCutOff;
using test::kInlineLimit;
using test::Pattern;

// One engine, opened in the child that makes it.
class Store {
 public:
  explicit Store(const std::string& directory) : directory_(directory) {
    EngineOptions options;
    options.data_directory = directory;
    auto engine = Engine::Open(options);
    EXPECT_TRUE(engine.ok()) << engine.error().ToString();
    if (!engine.ok()) CutOff();
    engine_ = std::move(*engine);
    auto bucket = engine_->buckets().FindBucket("s3v", "bucket");
    if (!bucket.ok()) {
      auto made = engine_->buckets().CreateBucket(caller_, "tester", "s3v", "bucket");
      EXPECT_TRUE(made.ok());
      bucket_ = made->info.id;
    } else {
      bucket_ = bucket->id;
    }
    root_ = InodeId(bucket_.value());
  }

  Engine& engine() { return *engine_; }
  Files& files() { return engine_->files(); }
  InodeId root() const { return root_; }
  BucketId bucket() const { return bucket_; }

  std::shared_ptr<FileHandle> Open(std::string_view name, OpenOptions options) {
    auto opened = files().Create(caller_, root_, name, 0644, options, nullptr);
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().ToString());
    return opened.ok() ? opened->handle : nullptr;
  }
  std::shared_ptr<FileHandle> OpenForWrite(std::string_view name, bool truncate = false) {
    OpenOptions options;
    options.write = true;
    options.truncate = truncate;
    return Open(name, options);
  }
  void WriteDurably(std::string_view name, std::string_view bytes) {
    auto handle = OpenForWrite(name, true);
    EXPECT_TRUE(handle->Write(0, Bytes(bytes)).ok());
    EXPECT_TRUE(handle->Sync().ok());
  }
  // Until the collector's thread has nothing left to finish, by a clean stop and start.
  static std::span<const std::byte> Bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  }
  std::string Content(std::string_view key) {
    auto reader = engine_->objects().Open(bucket_, key);
    if (!reader.ok()) return "(" + reader.error().ToString() + ")";
    std::string bytes((*reader)->info().size, '\0');
    EXPECT_TRUE((*reader)->Read(0, std::as_writable_bytes(std::span(bytes))).ok());
    return bytes;
  }
  std::string Etag(std::string_view key) {
    const auto info = engine_->objects().Head(bucket_, key);
    EXPECT_TRUE(info.ok());
    return info.ok() ? info->etag : "";
  }
  Status Put(std::string_view key, std::string_view content) {
    BeginPutRequest request;
    request.bucket = bucket_;
    request.key = key;
    AMPHORA_ASSIGN(auto writer, engine_->objects().BeginPut(request));
    AMPHORA_TRY(writer->Append(Bytes(content)));
    AMPHORA_ASSIGN(const auto outcome, writer->Commit({}));
    return engine_->WaitDurable(outcome.ticket);
  }
  void ExpectConsistent() {
    const auto report = engine_->admin().Check({});
    ASSERT_TRUE(report.ok());
    for (const Finding& finding : report->findings) {
      ADD_FAILURE() << finding.kind << ": " << finding.what;
    }
  }
  std::size_t BlobFiles() const { return test::FileTest::CountBlobFiles(directory_ + "/blobs"); }

 private:
  const std::string directory_;
  std::unique_ptr<Engine> engine_;
  Caller caller_;
  BucketId bucket_;
  InodeId root_;
};

class DurabilityTest : public ::testing::Test {
 protected:
  // Runs `body` with a store; expects that a failpoint or CutOff ends it.
  void CutIn(const std::function<void(Store&)>& body) {
    EXPECT_EQ(InChild([&] {
                Store store(Directory());
                body(store);
                ADD_FAILURE() << "was not cut off";
              }),
              kCutOff);
  }
  // Runs `body` with a store that is then stopped cleanly; the store must be consistent at its
  // start.
  void Then(const std::function<void(Store&)>& body) {
    EXPECT_EQ(InChild([&] {
                Store store(Directory());
                store.ExpectConsistent();
                body(store);
              }),
              0);
  }
  std::string Directory() const { return scratch_.path() + "/data"; }

  test::ScratchDirectory scratch_;
  const std::string small_ = Pattern(4096, 1);
  const std::string large_ = Pattern(4 * kInlineLimit, 2);
  const std::string other_ = Pattern(5 * kInlineLimit, 3);
};

std::size_t OpenForWriteRows(Store& store) {
  std::size_t count = 0;
  EXPECT_TRUE(store.engine()
                  .admin()
                  .Dump([&](std::string_view line) {
                    if (line.starts_with("open-for-write")) ++count;
                    return true;
                  })
                  .ok());
  return count;
}
TEST_F(DurabilityTest, WhatCloseAnsweredSurvivesAKill) {
  CutIn([&](Store& store) {
    for (const auto* bytes : {&small_, &large_}) {
      auto handle = store.OpenForWrite(bytes == &small_ ? "small" : "large");
      ASSERT_TRUE(handle->Write(0, Store::Bytes(*bytes)).ok());
      ASSERT_TRUE(handle->Flush().ok());
    }
    CutOff();
  });
  Then([&](Store& store) {
    EXPECT_EQ(store.Content("small"), small_);
    EXPECT_EQ(store.Content("large"), large_);
  });
}

// 5.6, data before the row: a row that names the bytes is committed only after they are synced.
TEST_F(DurabilityTest, FsyncOfAFileWhoseDataCannotBeSyncedCommitsNothing) {
  CutIn([&](Store& store) {
    auto handle = store.OpenForWrite("f");
    ASSERT_TRUE(handle->Write(0, Store::Bytes(large_)).ok());
    ASSERT_TRUE(ArmFailpoint("fs.fsync.data", "fail"));
    EXPECT_FALSE(handle->Sync().ok());
    CutOff();
  });
  Then([&](Store& store) {
    EXPECT_EQ(store.Content("f"), "");
    EXPECT_EQ(store.BlobFiles(), 0u) << "the blob that no row names is removed at start-up";
  });
}

// 5.6, the log last: fsync fails when it can't be synced, and answers only after it was.
TEST_F(DurabilityTest, FsyncWaitsForTheLog) {
  EXPECT_EQ(InChild([&] {
              Store store(Directory());
              auto handle = store.OpenForWrite("f");
              ASSERT_TRUE(handle->Write(0, Store::Bytes(small_)).ok());
              const auto syncs = Value(Counter::kStoreSyncs);
              ASSERT_TRUE(handle->Sync().ok());
              EXPECT_EQ(Value(Counter::kStoreSyncs), syncs + 1);
              ASSERT_TRUE(handle->Sync().ok());
              EXPECT_EQ(Value(Counter::kStoreSyncs), syncs + 1) << "everything is durable";
              ASSERT_TRUE(handle->Write(0, Store::Bytes("x")).ok());
              ASSERT_TRUE(ArmFailpoint("meta.sync", "fail"));
              EXPECT_TRUE(handle->Sync().Is(ErrorCode::kPoisoned));
            }),
            0);
}

// 5.6: an overwrite of a large file whose open-for-write row is durable needs no log sync.
TEST_F(DurabilityTest, FsyncOfALargeFileInPlaceSyncsOnlyTheBlob) {
  CutIn([&](Store& store) {
    store.WriteDurably("f", large_);
    auto handle = store.OpenForWrite("f");
    ASSERT_TRUE(handle->Write(0, Store::Bytes("first")).ok());
    ASSERT_TRUE(handle->Sync().ok());
    const auto syncs = Value(Counter::kStoreSyncs);
    const auto commits = Value(Counter::kStoreCommits);
    const auto blob_syncs = Value(Counter::kBlobSyncs);
    ASSERT_TRUE(handle->Write(large_.size(), Store::Bytes("second")).ok());
    ASSERT_TRUE(handle->Sync().ok());
    EXPECT_EQ(Value(Counter::kBlobSyncs), blob_syncs + 1);
    EXPECT_EQ(Value(Counter::kStoreSyncs), syncs);
    EXPECT_EQ(Value(Counter::kStoreCommits), commits);
    CutOff();
  });
  Then([&](Store& store) { EXPECT_EQ(store.Content("f"), "first" + large_.substr(5) + "second"); });
}

// 5.4, inline → blob: the old bytes go only after the new blob is durable.
TEST_F(DurabilityTest, InlineBytesStayUntilTheBlobThatReplacesThemIsDurable) {
  CutIn([&](Store& store) {
    store.WriteDurably("f", small_);
    auto handle = store.OpenForWrite("f");
    ASSERT_TRUE(handle->Write(small_.size(), Store::Bytes(large_)).ok());
    ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "fail"));
    EXPECT_FALSE(handle->Flush().ok());
    CutOff();
  });
  Then([&](Store& store) { EXPECT_EQ(store.Content("f"), small_); });
}

TEST_F(DurabilityTest, AKillBetweenTheBlobsSyncAndTheSettleKeepsTheInlineBytes) {
  CutIn([&](Store& store) {
    store.WriteDurably("f", small_);
    auto handle = store.OpenForWrite("f");
    ASSERT_TRUE(handle->Write(small_.size(), Store::Bytes(large_)).ok());
    ASSERT_TRUE(ArmFailpoint("fs.settle.before_commit", "exit"));
    (void)handle->Flush();
  });
  Then([&](Store& store) {
    EXPECT_EQ(store.Content("f"), small_);
    EXPECT_EQ(store.BlobFiles(), 0u);
  });
}

// 5.4, copy-up.
TEST_F(DurabilityTest, ASharedBlobsBytesStayUntilTheCopyIsDurable) {
  CutIn([&](Store& store) {
    ASSERT_TRUE(store.Put("a", large_).ok());
    auto copy = store.OpenForWrite("b");
    ASSERT_EQ(store.Open("a", {})->CopyTo(0, *copy, 0, large_.size()).value(), large_.size());
    ASSERT_TRUE(copy->Write(0, Store::Bytes("changed")).ok());
    ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "fail"));
    EXPECT_FALSE(copy->Flush().ok());
    CutOff();
  });
  Then([&](Store& store) {
    EXPECT_EQ(store.Content("a"), large_);
    EXPECT_EQ(store.Content("b"), large_);
    EXPECT_EQ(store.BlobFiles(), 1u);
  });
}

// 5.5, close after truncate.
TEST_F(DurabilityTest, CloseAfterTruncateSyncsTheNewBytesBeforeTheOldOnesGo) {
  CutIn([&](Store& store) {
    store.WriteDurably("f", large_);
    auto handle = store.OpenForWrite("f", true);
    ASSERT_TRUE(handle->Write(0, Store::Bytes(other_)).ok());
    ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "fail"));
    EXPECT_FALSE(handle->Flush().ok());
    CutOff();
  });
  Then([&](Store& store) { EXPECT_EQ(store.Content("f"), large_); });
}

// 5.5, rename over an existing file.
TEST_F(DurabilityTest, RenameOverAFileSyncsTheSourceFirst) {
  CutIn([&](Store& store) {
    store.WriteDurably("f", large_);
    auto handle = store.OpenForWrite("new");
    ASSERT_TRUE(handle->Write(0, Store::Bytes(other_)).ok());
    ASSERT_TRUE(handle->Flush().ok());
    handle.reset();
    RenameRequest request;
    request.from_parent = request.to_parent = store.root();
    request.from_name = "new";
    request.to_name = "f";
    ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "fail"));
    EXPECT_FALSE(store.files().Rename({}, request).ok());
    CutOff();
  });
  Then([&](Store& store) { EXPECT_EQ(store.Content("f"), large_); });
}

// 5.2.
TEST_F(DurabilityTest, APutIsCommittedOnlyAfterItsBlobIsDurable) {
  CutIn([&](Store& store) {
    ASSERT_TRUE(store.Put("o", small_).ok());
    ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "fail"));
    EXPECT_FALSE(store.Put("o", large_).ok());
    CutOff();
  });
  Then([&](Store& store) { EXPECT_EQ(store.Content("o"), small_); });
  CutIn([&](Store& store) {
    ASSERT_TRUE(ArmFailpoint("fs.put.blob_sync", "exit"));
    (void)store.Put("o", large_);
  });
  Then([&](Store& store) {
    EXPECT_EQ(store.Content("o"), small_);
    EXPECT_EQ(store.BlobFiles(), 0u);
  });
}

// 5.3: the first writable passthrough handle is answered only after its row is durable.
TEST_F(DurabilityTest, AWritablePassthroughOpenWaitsForItsRow) {
  CutIn([&](Store& store) {
    ASSERT_TRUE(store.Put("o", large_).ok());
    OpenOptions options;
    options.write = true;
    options.passthrough_possible = true;
    ASSERT_TRUE(ArmFailpoint("meta.sync", "fail"));
    const auto found = store.files().Lookup(store.root(), "o");
    EXPECT_TRUE(store.files().Open({}, found->inode, options).Is(ErrorCode::kPoisoned));
    CutOff();
  });
}

// 5.3: bytes that are changed in place reach the disk only after the row that says so.
TEST_F(DurabilityTest, AnOverwrittenBlobIsSyncedOnlyAfterItsRowIsDurable) {
  CutIn([&](Store& store) {
    ASSERT_TRUE(store.Put("o", large_).ok());
    auto handle = store.OpenForWrite("o");
    ASSERT_TRUE(ArmFailpoint("meta.sync", "fail"));
    ASSERT_TRUE(handle->Write(0, Store::Bytes("changed")).ok());
    const auto syncs = Value(Counter::kBlobSyncs);
    EXPECT_TRUE(handle->Sync().Is(ErrorCode::kPoisoned));
    EXPECT_EQ(Value(Counter::kBlobSyncs), syncs);
    CutOff();
  });
}

// 5.3: no ETag of before stands over bytes of after.
TEST_F(DurabilityTest, AKillAfterAnOverwriteInPlaceTakesTheEtag) {
  CutIn([&](Store& store) {
    ASSERT_TRUE(store.Put("o", large_).ok());
    EXPECT_EQ(store.Etag("o").find('-'), std::string::npos);
    auto handle = store.OpenForWrite("o");
    ASSERT_TRUE(handle->Write(0, Store::Bytes("changed")).ok());
    CutOff();
  });
  Then([&](Store& store) {
    EXPECT_EQ(store.Content("o"), "changed" + large_.substr(7));
    EXPECT_NE(store.Etag("o").find('-'), std::string::npos);
  });
}

// 5.3: what the kernel wrote past us is found after a kill, with another ETag.
TEST_F(DurabilityTest, WritesInPassthroughAreRecoveredAfterAKill) {
  std::string etag;
  CutIn([&](Store& store) {
    ASSERT_TRUE(store.Put("o", large_).ok());
    OpenOptions options;
    options.write = true;
    options.passthrough_possible = true;
    auto handle = store.Open("o", options);
    ASSERT_EQ(handle->mode(), AccessMode::kPassthrough);
    ASSERT_EQ(::pwrite(handle->backing_fd(), "kernel", 6, static_cast<off_t>(large_.size())), 6);
    CutOff();
  });
  Then([&](Store& store) {
    EXPECT_EQ(store.Content("o"), large_ + "kernel");
    EXPECT_NE(store.Etag("o").find('-'), std::string::npos);
    EXPECT_EQ(store.engine().buckets().GetBucket("s3v", "bucket")->bytes, large_.size() + 6);
  });
}

// 5.3: a row that promises more than the disk has is clipped, never filled with zeros.
TEST_F(DurabilityTest, ASizeThatNeverReachedTheDiskIsClipped) {
  CutIn([&](Store& store) {
    auto handle = store.OpenForWrite("f");
    ASSERT_TRUE(handle->Write(0, Store::Bytes(large_)).ok());
    ASSERT_TRUE(handle->Flush().ok());
    // What a power cut does to bytes that were not synced.
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(Directory() + "/blobs")) {
      if (entry.is_regular_file() && entry.file_size() > 0) {
        ASSERT_EQ(::truncate(entry.path().c_str(), 1000), 0);
      }
    }
    CutOff();
  });
  Then([&](Store& store) {
    EXPECT_EQ(store.Content("f"), large_.substr(0, 1000));
    EXPECT_EQ(store.engine().buckets().GetBucket("s3v", "bucket")->bytes, 1000u);
  });
}

// 5.3: the row is cleared only after the blob's sync.
TEST_F(DurabilityTest, AnOpenForWriteRowOutlivesAFailedSync) {
  CutIn([&](Store& store) {
    store.WriteDurably("f", large_);
    {
      auto handle = store.OpenForWrite("f");
      ASSERT_TRUE(handle->Write(0, Store::Bytes("changed")).ok());
      ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "fail"));
      ASSERT_TRUE(handle->Flush().ok()) << "an overwrite needs no sync at close";
    }
    // Longer than the collector's thread waits: it has tried.
    for (int i = 0; i < 3000 && FailpointVisits("fs.blob.sync") == 0; ++i) ::usleep(10'000);
    EXPECT_GT(FailpointVisits("fs.blob.sync"), 0u);
    ::usleep(100'000);
    EXPECT_EQ(OpenForWriteRows(store), 1u);
    CutOff();
  });
}

TEST_F(DurabilityTest, OpenForWriteRowsAreClearedAfterTheLastRelease) {
  Then([&](Store& store) {
    for (int i = 0; i < 5; ++i) {
      auto handle = store.OpenForWrite("f" + std::to_string(i));
      ASSERT_TRUE(handle->Write(0, Store::Bytes(large_)).ok());
      ASSERT_TRUE(handle->Flush().ok());
    }
  });
  Then([&](Store& store) {
    ASSERT_TRUE(store.engine()
                    .admin()
                    .Dump([&](std::string_view line) {
                      EXPECT_FALSE(line.starts_with("open-for-write")) << line;
                      return true;
                    })
                    .ok());
  });
}

TEST_F(DurabilityTest, ManyFilesClosedUnsyncedAreSyncedByOneCall) {
  Then([&](Store& store) {
    for (int i = 0; i < 200; ++i) {
      auto handle = store.OpenForWrite("f" + std::to_string(i));
      ASSERT_TRUE(handle->Write(0, Store::Bytes(large_)).ok());
      ASSERT_TRUE(handle->Flush().ok());
    }
    for (int i = 0; i < 3000 && OpenForWriteRows(store) > 0; ++i) ::usleep(10'000);
    EXPECT_EQ(OpenForWriteRows(store), 0u);
    EXPECT_LT(Value(Counter::kBlobSyncs), 70u);
  });
  Then([&](Store& store) { EXPECT_EQ(store.Content("f7"), large_); });
}

// 5.10: the kernel tells of a lost page once; a syncfs that succeeds later proves nothing about it.
TEST_F(DurabilityTest, ASyncOfManyFilesCoversNoneWhoseOwnSyncFailed) {
  CutIn([&](Store& store) {
    const auto write = [&](const std::string& name, bool fails) {
      auto handle = store.OpenForWrite(name);
      ASSERT_TRUE(handle->Write(0, Store::Bytes(large_)).ok());
      if (fails) {
        ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "fail"));
        ASSERT_FALSE(handle->Sync().ok());
        DisarmAllFailpoints();
      }
      ASSERT_TRUE(handle->Flush().ok());
    };
    write("lost", true);
    for (int i = 0; i < 100; ++i) write("f" + std::to_string(i), false);
    for (int i = 0; i < 3000 && OpenForWriteRows(store) > 1; ++i) ::usleep(10'000);
    ::usleep(2'500'000);  // the collector comes by each second: it had its chance to be wrong
    EXPECT_EQ(OpenForWriteRows(store), 1u);
    CutOff();
  });
}

// 5.7.
TEST_F(DurabilityTest, ABlobIsRemovedOnlyAfterTheCommitThatFreedItIsDurable) {
  CutIn([&](Store& store) {
    ASSERT_TRUE(store.Put("o", large_).ok());
    ASSERT_TRUE(ArmFailpoint("meta.sync", "fail"));
    ASSERT_TRUE(store.engine().objects().Delete({}, store.bucket(), "o").ok());
    EXPECT_FALSE(store.engine().admin().CollectGarbage({}).ok());
    EXPECT_EQ(store.BlobFiles(), 1u);
    CutOff();
  });
}

TEST_F(DurabilityTest, AKillDuringCollectionIsGoneOnWithAtTheNextStart) {
  for (const char* point : {"fs.collect.before_unlink", "fs.collect.before_erase"}) {
    SCOPED_TRACE(point);
    CutIn([&](Store& store) {
      ASSERT_TRUE(store.Put("o", large_).ok());
      ASSERT_TRUE(store.engine().objects().Delete({}, store.bucket(), "o").ok());
      ASSERT_TRUE(ArmFailpoint(point, "exit"));
      (void)store.engine().admin().CollectGarbage({});
    });
    Then([&](Store& store) {
      ASSERT_TRUE(store.engine().admin().CollectGarbage({}).ok());
      EXPECT_EQ(store.BlobFiles(), 0u);
      EXPECT_EQ(store.engine().admin().Figures().blobs_to_collect, 0u);
    });
  }
}

// 5.8.
TEST_F(DurabilityTest, OrphansAreReapedAtTheNextStart) {
  CutIn([&](Store& store) {
    auto large = store.OpenForWrite("large");
    ASSERT_TRUE(large->Write(0, Store::Bytes(large_)).ok());
    ASSERT_TRUE(large->Flush().ok());
    auto small = store.OpenForWrite("small");
    ASSERT_TRUE(small->Write(0, Store::Bytes(small_)).ok());
    ASSERT_TRUE(small->Flush().ok());
    for (const char* name : {"large", "small"}) {
      ASSERT_TRUE(store.files().Unlink({}, store.root(), name).ok());
    }
    OpenOptions options;
    options.write = true;
    auto unnamed = store.files().CreateUnnamed({}, store.root(), 0600, options);
    ASSERT_TRUE(unnamed->handle->Write(0, Store::Bytes(large_)).ok());
    CutOff();
  });
  Then([&](Store& store) {
    ASSERT_TRUE(store.engine().admin().CollectGarbage({}).ok());
    EXPECT_EQ(store.BlobFiles(), 0u);
    ASSERT_TRUE(store.engine()
                    .admin()
                    .Dump([&](std::string_view line) {
                      EXPECT_FALSE(line.starts_with("orphan")) << line;
                      return true;
                    })
                    .ok());
  });
}

TEST_F(DurabilityTest, AnUnnamedFileThatWasSyncedAndLinkedKeepsItsContent) {
  for (const auto* bytes : {&small_, &large_}) {
    CutIn([&](Store& store) {
      OpenOptions options;
      options.write = true;
      auto opened = store.files().CreateUnnamed({}, store.root(), 0600, options);
      ASSERT_TRUE(opened->handle->Write(0, Store::Bytes(*bytes)).ok());
      ASSERT_TRUE(opened->handle->Sync().ok());
      const char* name = bytes == &small_ ? "small" : "large";
      ASSERT_TRUE(store.files().Link({}, opened->attributes.inode, store.root(), name).ok());
      CutOff();
    });
  }
  Then([&](Store& store) {
    EXPECT_EQ(store.Content("small"), small_);
    EXPECT_EQ(store.Content("large"), large_);
  });
}

// 5.1 and 5.3 again, at random: whatever point the process dies at, every file is one of its
// versions.
TEST_F(DurabilityTest, AKillAtAnyVisitLeavesEveryFileWhole) {
  const char* points[] = {"fs.settle.before_commit",   "fs.fsync.data",     "fs.fsync.log",
                          "fs.open_row.before_commit", "fs.blob.write",     "fs.put.blob_sync",
                          "fs.reap.before_commit",     "fs.blob.name_sync", "fs.blob.clone"};
  int cuts = 0;
  for (const char* point : points) {
    for (int visit = 1; visit <= 2; ++visit) {
      SCOPED_TRACE(std::string(point) + " " + std::to_string(visit));
      const int ended = InChild([&] {
        Store store(Directory());
        ASSERT_TRUE(ArmFailpoint(point, "exit@" + std::to_string(visit)));
        for (int round = 0; round < 3; ++round) {
          store.WriteDurably("small", Pattern(4096, 10 + round));
          store.WriteDurably("large", Pattern(4 * kInlineLimit, 20 + round));
          ASSERT_TRUE(store.Put("put", Pattern(4 * kInlineLimit, 30 + round)).ok());
          auto copy = store.OpenForWrite("copy", true);
          ASSERT_TRUE(store.Open("put", {})->CopyTo(0, *copy, 0, 4 * kInlineLimit).ok());
          ASSERT_TRUE(copy->Write(0, Store::Bytes("c")).ok());
          copy.reset();
          auto grow = store.OpenForWrite("small");
          ASSERT_TRUE(grow->Write(4096, Store::Bytes(large_)).ok());
          ASSERT_TRUE(grow->Sync().ok());
          ASSERT_TRUE(store.files().Unlink({}, store.root(), "copy").ok());
        }
      });
      EXPECT_TRUE(ended == 0 || ended == kCutOff) << ended;
      cuts += ended == kCutOff ? 1 : 0;
      Then([&](Store& store) {
        const auto in = [&](const std::string& content, std::initializer_list<std::string> heads) {
          for (const auto& head : heads) {
            if (content == head) return true;
          }
          return false;
        };
        const std::string put = store.Content("put");
        EXPECT_TRUE(put.starts_with("(") ||
                    in(put, {Pattern(4 * kInlineLimit, 30), Pattern(4 * kInlineLimit, 31),
                             Pattern(4 * kInlineLimit, 32)}));
        const std::string small = store.Content("small");
        bool known = small.empty() || small.starts_with("(");
        for (int round = 0; round < 3; ++round) {
          const std::string base = Pattern(4096, 10 + round);
          known = known || small == base || small == base + large_;
        }
        EXPECT_TRUE(known) << small.size();
        ASSERT_TRUE(store.engine().admin().CollectGarbage({}).ok());
      });
    }
  }
  EXPECT_GE(cuts, 12) << "most points must be reached";
}

// Decision 13: whatever step of a split is the last, both files are whole and nothing is left over.
TEST_F(DurabilityTest, ASplitThatIsCutOffAnywhereLeavesBothFilesWhole) {
  OpenOptions read_only;
  read_only.passthrough_possible = true;
  OpenOptions read_write = read_only;
  read_write.write = true;
  for (const char* step : {"fs.blob.clone", "fs.split.copy_sync", "fs.split.before_exchange",
                           "fs.blob.name_sync", "fs.split.before_commit", "answered"}) {
    SCOPED_TRACE(step);
    const bool answered = std::string_view(step) == "answered";
    CutIn([&](Store& store) {
      ASSERT_TRUE(store.Put("a", large_).ok());
      auto reader = store.Open("a", read_only);
      ASSERT_EQ(reader->mode(), AccessMode::kPassthrough);
      {
        auto copy = store.OpenForWrite("b", true);
        ASSERT_EQ(reader->CopyTo(0, *copy, 0, large_.size()).value(), large_.size());
        ASSERT_TRUE(copy->Sync().ok());
      }
      ASSERT_EQ(store.BlobFiles(), 1u);
      EXPECT_TRUE(answered || ArmFailpoint(step, "exit"));
      auto writer = store.Open("a", read_write);
      ASSERT_EQ(::pwrite(writer->backing_fd(), "kernel", 6, 0), 6);
      CutOff();
    });
    Then([&](Store& store) {
      EXPECT_EQ(store.Content("b"), large_);
      EXPECT_EQ(store.Content("a"), answered ? "kernel" + large_.substr(6) : large_);
      EXPECT_EQ(store.BlobFiles(), answered ? 2u : 1u);
      for (const char* name : {"a", "b"}) {
        ASSERT_TRUE(store.files().Unlink({}, store.root(), name).ok());
      }
      ASSERT_TRUE(store.engine().admin().CollectGarbage({}).ok());
    });
  }
}

// The row that makes the kernel's file ours is durable before the kernel may write into it, and so
// are the bytes and the name of the others' copy.
TEST_F(DurabilityTest, ASplitIsDurableBeforeItsWriterIsAnswered) {
  CutIn([&](Store& store) {
    OpenOptions options;
    options.passthrough_possible = true;
    ASSERT_TRUE(store.Put("a", large_).ok());
    auto reader = store.Open("a", options);
    auto copy = store.OpenForWrite("b", true);
    ASSERT_EQ(reader->CopyTo(0, *copy, 0, large_.size()).value(), large_.size());
    ASSERT_TRUE(copy->Sync().ok());
    options.write = true;
    const auto syncs = Value(Counter::kBlobSyncs);
    ASSERT_TRUE(ArmFailpoint("meta.sync", "fail"));
    EXPECT_TRUE(store.files().Open({}, reader->inode(), options).Is(ErrorCode::kPoisoned));
    EXPECT_EQ(Value(Counter::kBlobSyncs), syncs + 1) << "the copy's bytes, before the row";
    CutOff();
  });
  Then([&](Store& store) {
    for (const char* name : {"a", "b"}) EXPECT_EQ(store.Content(name), large_) << name;
  });
}

}  // namespace
}  // namespace amphora::fs
