// Many threads, few names, every kind of operation on content at once; then nothing may be left
// over. Each thread's operations come from a printed seed; how they interleave does not.
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "tests/fs/data/file_fixture.h"
#include "tests/support/scale.h"

namespace amphora::fs {
namespace {

using test::kInlineLimit;
using test::Pattern;
using test::ReadAll;

constexpr int kThreads = 4;
const int kRounds = test::Scaled(3000, 200);
constexpr unsigned kNames = 5;

// What may go wrong when names come and go under one's feet.
bool Expected(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kNotFound:
    case ErrorCode::kExists:
    case ErrorCode::kStale:
    case ErrorCode::kBusy:
      return true;
    default:
      return false;
  }
}
template <typename T>
bool Fine(const Result<T>& result) {
  return result.ok() || Expected(result.error());
}

class LiveStressTest : public test::FileTest {
 protected:
  std::string Content(std::mt19937& random) {
    static constexpr std::size_t kSizes[] = {0, 100, 4096, kInlineLimit, kInlineLimit + 1, 100'000};
    return std::string(kSizes[random() % 6], static_cast<char>('a' + random() % 26));
  }

  std::shared_ptr<FileHandle> Opened(const std::string& name, std::mt19937& random, bool truncate) {
    OpenOptions options;
    options.write = true;
    options.truncate = truncate;
    options.append = random() % 8 == 0;
    options.passthrough_possible = random() % 2 == 0;
    auto opened = files().Create(caller_, root_, name, 0644, options, nullptr);
    EXPECT_TRUE(Fine(opened)) << opened.error().ToString();
    return opened.ok() ? opened->handle : nullptr;
  }

  void WriteSome(const std::string& name, std::mt19937& random) {
    auto handle = Opened(name, random, random() % 2 == 0);
    if (!handle) return;
    const std::string bytes = Content(random);
    if (handle->mode() == AccessMode::kPassthrough) {
      ASSERT_EQ(::pwrite(handle->backing_fd(), bytes.data(), bytes.size(), 0),
                static_cast<ssize_t>(bytes.size()));
    } else {
      ASSERT_TRUE(handle->Write(random() % 5000, Bytes(bytes)).ok());
    }
    if (random() % 4 == 0) {
      ASSERT_TRUE(handle->Sync().ok());
    }
    if (random() % 2 == 0) {
      ASSERT_TRUE(handle->Flush().ok());
    }
  }

  void GetSome(const std::string& name) {
    auto reader = objects().Open(bucket_, name);
    ASSERT_TRUE(Fine(reader)) << reader.error().ToString();
    if (!reader.ok()) return;
    std::string bytes((*reader)->info().size, '\0');
    const auto got = (*reader)->Read(0, std::as_writable_bytes(std::span(bytes)));
    ASSERT_TRUE(Fine(got)) << got.error().ToString();
    if (got.ok()) {
      ASSERT_EQ(*got, bytes.size());
    }
  }

  void Operate(std::mt19937& random) {
    const std::string name = "n" + std::to_string(random() % kNames);
    const std::string other = "n" + std::to_string(random() % kNames);
    switch (random() % 9) {
      case 0:
      case 1:
        return WriteSome(name, random);
      case 2:
        return GetSome(name);
      case 3: {
        const auto put = PutObject(name, Content(random));
        EXPECT_TRUE(Fine(put)) << put.error().ToString();
        return;
      }
      case 4: {
        const auto removed = files().Unlink(caller_, root_, name);
        EXPECT_TRUE(Fine(removed)) << removed.error().ToString();
        return;
      }
      case 5: {
        EXPECT_TRUE(Fine(objects().Delete(caller_, bucket_, name)));
        return;
      }
      case 6: {
        auto source = Opened(name, random, false);
        auto target = Opened(other, random, true);
        if (!source || !target) return;
        const auto copied = source->CopyTo(0, *target, 0, 1 << 20);
        EXPECT_TRUE(copied.ok() || copied.Is(ErrorCode::kInvalidArgument));
        return;
      }
      case 7: {
        if (name == other) return;
        const auto renamed = RenameName(root_, name, root_, other);
        EXPECT_TRUE(Fine(renamed)) << renamed.error().ToString();
        return;
      }
      case 8: {
        const auto found = files().Lookup(root_, name);
        if (!found.ok()) return;
        AttributeChange change;
        if (random() % 2 == 0) {
          change.size = random() % 40'000;
        } else {
          change.modified = Time(static_cast<std::int64_t>(random()));
        }
        const auto changed = files().SetAttributes(caller_, found->inode, change, nullptr);
        EXPECT_TRUE(Fine(changed)) << changed.error().ToString();
        return;
      }
    }
  }
};

TEST_F(LiveStressTest, NothingIsLeftOverAfterEverythingAtOnce) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, seed, t] {
      std::mt19937 random(seed + t);
      for (int round = 0; round < kRounds && !HasFailure(); ++round) Operate(random);
    });
  }
  for (auto& thread : threads) thread.join();
  Reopen();
  ExpectConsistent();
  EXPECT_EQ(engine_->admin().Figures().open_handles, 0u);
  for (unsigned n = 0; n < kNames; ++n) GetSome("n" + std::to_string(n));
  for (unsigned n = 0; n < kNames; ++n) {
    EXPECT_TRUE(objects().Delete(caller_, bucket_, "n" + std::to_string(n)).ok());
  }
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(BlobFiles(), 0u);
  EXPECT_EQ(engine_->buckets().GetBucket("s3v", "bucket")->bytes, 0u);
}

}  // namespace
}  // namespace amphora::fs
