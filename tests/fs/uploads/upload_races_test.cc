// Uploads beside themselves: parts in parallel, Complete against Abort, Complete and re-upload,
// copies against writers and deletions, buckets that go. The store is consistent after each.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/fs/uploads/upload_fixture.h"

namespace amphora::fs {
namespace {

using test::kPartBytes;
using test::Pattern;

class UploadRacesTest : public test::UploadTest {
 protected:
  static void Together(const std::vector<std::function<void()>>& jobs) {
    std::atomic<std::size_t> ready = 0;
    std::vector<std::thread> threads;
    for (const auto& job : jobs) {
      threads.emplace_back([&] {
        ++ready;
        while (ready < jobs.size()) std::this_thread::yield();
        job();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(UploadRacesTest, PartsInParallelMakeOneBlob) {
  const auto upload = Begin("key");
  std::vector<std::string> bytes;
  for (unsigned i = 0; i < 6; ++i) bytes.push_back(Pattern(i < 5 ? kPartBytes : 100, i));
  // A small part that comes before any other teaches no size: so the last one comes last here.
  std::vector<CompletedPart> parts(bytes.size());
  std::vector<std::function<void()>> jobs;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    jobs.emplace_back([&, i] {
      const auto part = Part(upload, static_cast<std::uint32_t>(i + 1), bytes[i]);
      ASSERT_TRUE(part.ok());
      parts[i] = *part;
    });
  }
  Together(jobs);
  parts.back() = Part(upload, 6, bytes.back()).value();
  ASSERT_TRUE(Complete(upload, parts).ok());
  EXPECT_FALSE(HasExtents());
  EXPECT_EQ(GetObject("key").value(), Join(bytes));
}

TEST_F(UploadRacesTest, OfTwoUploadsOfOnePartTheOneThatIsListedWins) {
  for (int round = 0; round < 20; ++round) {
    const auto upload = Begin("key");
    const std::string a = Pattern(40'000, 1);
    const std::string b = Pattern(40'000, 2);
    Together({[&] { EXPECT_TRUE(Part(upload, 1, a).ok()); },
              [&] { EXPECT_TRUE(Part(upload, 1, b).ok()); }});
    const auto listed = uploads().ListParts({.upload = upload});
    ASSERT_EQ(listed->parts.size(), 1u);
    ASSERT_TRUE(Complete(upload, {{1, listed->parts[0].etag, {}}}).ok());
    const std::string expected = listed->parts[0].etag == ToHex(test::Md5Of(a)) ? a : b;
    EXPECT_EQ(GetObject("key").value(), expected);
  }
  EXPECT_EQ(BlobFiles(), 1u);
}

TEST_F(UploadRacesTest, OfCompleteAndAbortExactlyOneWins) {
  int completed = 0;
  for (int round = 0; round < 100; ++round) {
    const std::string key = "key" + std::to_string(round);
    const auto upload = Begin(key);
    const auto part = Part(upload, 1, Pattern(30'000, 1));
    Status complete = Ok();
    Status abort = Ok();
    Together({[&] {
                const auto done = Complete(upload, {*part});
                if (!done.ok()) complete = done.error();
              },
              [&] {
                const auto done = uploads().Abort(upload);
                if (!done.ok()) abort = done.error();
              }});
    EXPECT_NE(complete.ok(), abort.ok());
    EXPECT_EQ(Head(key).ok(), complete.ok());
    completed += complete.ok() ? 1 : 0;
  }
  EXPECT_EQ(BlobFiles(), static_cast<std::size_t>(completed));
}

TEST_F(UploadRacesTest, TwoCompletesAnswerTheSame) {
  for (int round = 0; round < 50; ++round) {
    const auto upload = Begin("key");
    const auto part = Part(upload, 1, Pattern(30'000, static_cast<unsigned>(round)));
    std::string etags[2];
    Together({[&] { etags[0] = Complete(upload, {*part})->info.etag; },
              [&] { etags[1] = Complete(upload, {*part})->info.etag; }});
    EXPECT_EQ(etags[0], etags[1]);
  }
}

TEST_F(UploadRacesTest, PartsBesideCompleteAreInOrGone) {
  for (int round = 0; round < 30; ++round) {
    const auto upload = Begin("key");
    const std::string bytes = Pattern(kPartBytes, 1);
    const auto part = Part(upload, 1, bytes);
    Together({[&] { EXPECT_TRUE(Complete(upload, {*part}).ok()); },
              [&] {
                const auto late = Part(upload, 2, Pattern(50'000, 9));
                EXPECT_TRUE(late.ok() || late.Is(ErrorCode::kNoSuchUpload));
              }});
    EXPECT_EQ(GetObject("key").value(), bytes);
    const auto visible = ReadFile(root_, "key");
    EXPECT_EQ(visible.value(), bytes);
  }
}

TEST_F(UploadRacesTest, CopiesBesideWritersAndDeletionsAreWhole) {
  const std::string a(100'000, 'a');
  const std::string b(100'000, 'b');
  ASSERT_TRUE(PutObject("from", a).ok());
  std::atomic<bool> done = false;
  std::thread changer([&] {
    for (int round = 0; round < 60; ++round) {
      switch (round % 3) {
        case 0:
          EXPECT_TRUE(PutObject("from", b).ok());
          break;
        case 1:
          Delete("from");
          break;
        default:
          EXPECT_TRUE(PutObject("from", a).ok());
      }
    }
    done = true;
  });
  while (!done) {
    const auto copied = Copy("from", "to");
    if (!copied.ok()) {
      EXPECT_TRUE(copied.Is(ErrorCode::kNotFound)) << copied.error().ToString();
      continue;
    }
    const std::string content = GetObject("to").value();
    EXPECT_TRUE(content == a || content == b);
    EXPECT_EQ(Head("to")->etag, ToHex(test::Md5Of(content)));
  }
  changer.join();
}

TEST_F(UploadRacesTest, ACopyBesideAPosixWriterIsOneStateOfTheFile) {
  const std::size_t size = 100'000;
  WriteFile(root_, "from", std::string(size, 'a'));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    auto handle = Open(Find("from")->inode, true);
    for (int round = 0; round < 60; ++round) {
      const std::string bytes(size, static_cast<char>('a' + round % 20));
      EXPECT_TRUE(handle->Write(0, Bytes(bytes)).ok());
    }
    done = true;
  });
  while (!done) {
    ASSERT_TRUE(Copy("from", "to").ok());
    const std::string content = GetObject("to").value();
    ASSERT_EQ(content.size(), size);
    EXPECT_EQ(content.find_first_not_of(content[0]), std::string::npos) << "torn";
  }
  writer.join();
}

TEST_F(UploadRacesTest, UploadsBesideTheDeletionOfTheirBucketLeaveNoOrphan) {
  for (int round = 0; round < 30; ++round) {
    const auto made = engine_->buckets().CreateBucket(caller_, "tester", "s3v", "going");
    ASSERT_TRUE(made.ok());
    const BucketId bucket = made->info.id;
    Together({[&] {
                CreateUploadRequest request;
                request.bucket = bucket;
                request.key = "key";
                const auto created = uploads().Create(request);
                if (!created.ok()) return;
                const UploadName upload{bucket, "key", created->info.id};
                const auto part = Part(upload, 1, Pattern(30'000, 1));
                if (part.ok()) (void)Complete(upload, {*part});
              },
              [&] { (void)engine_->buckets().DeleteBucket("s3v", "going"); }});
    if (objects().Delete(caller_, bucket, "key").ok()) {
      (void)engine_->buckets().DeleteBucket("s3v", "going");
    }
    ExpectConsistent();
  }
  EXPECT_EQ(BlobFiles(), 0u);
}

TEST_F(UploadRacesTest, ConditionalDeletesAndPutsOfOneKeyHaveOneWinner) {
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(PutObject("key", "first " + std::to_string(round)).ok());
    const std::string etag = Head("key")->etag;
    std::atomic<int> winners = 0;
    const auto put = [&] {
      PutOptions options;
      options.conditions.if_match = {etag};
      const auto outcome = Put("key", "second", options);
      winners += outcome.ok() ? 1 : 0;
      if (!outcome.ok()) {
        EXPECT_TRUE(outcome.Is(ErrorCode::kPreconditionFailed) || outcome.Is(ErrorCode::kNotFound));
      }
    };
    const auto remove = [&] {
      const auto outcome = objects().Delete(caller_, bucket_, "key", etag);
      winners += outcome.ok() ? 1 : 0;
      if (!outcome.ok()) {
        EXPECT_TRUE(outcome.Is(ErrorCode::kPreconditionFailed) || outcome.Is(ErrorCode::kNotFound));
      }
    };
    Together({put, remove, put, remove});
    EXPECT_EQ(winners, 1);
    Delete("key");
  }
}

}  // namespace
}  // namespace amphora::fs
