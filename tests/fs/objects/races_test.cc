// The guard rule under load: who adds a name against who removes the directory or bucket, 100,000
// times each. What a call acknowledged must hold at once and stay; at the end the store is
// consistent.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/fs/objects/object_fixture.h"
#include "tests/support/scale.h"

namespace amphora::fs {
namespace {

int Rounds() { return test::Scaled(100'000, 1000); }

class RacesTest : public test::ObjectTest {
 protected:
  // Runs `step(i)` on two threads, Rounds() times together.
  template <typename First, typename Second>
  void Race(First&& first, Second&& second) {
    const int rounds = Rounds();
    std::atomic<int> next{0};
    const auto loop = [&](auto& step) {
      for (int i = next++; i < rounds && !HasFailure(); i = next++) step(i);
    };
    std::thread thread([&] { loop(first); });
    loop(second);
    thread.join();
  }

  // PUT, look, DELETE, look: of a key that nobody else touches.
  void PutAndDelete(const std::string& key) {
    const auto put = Put(key, "x");
    ASSERT_TRUE(put.ok()) << put.error().ToString();
    ASSERT_TRUE(Head(key).ok()) << key;
    const auto deleted = objects().Delete(caller_, bucket_, key);
    ASSERT_TRUE(deleted.ok()) << deleted.error().ToString();
    ASSERT_TRUE(deleted->existed) << key;
    ASSERT_FALSE(Head(key).ok()) << key;
  }
};

TEST_F(RacesTest, TheLastDeleteOfADirectoryAgainstAPutIntoIt) {
  Race([&](int) { PutAndDelete("deep/dir/one"); }, [&](int) { PutAndDelete("deep/dir/two"); });
  EXPECT_TRUE(Names(root_).empty());
}

TEST_F(RacesTest, RmdirAgainstPut) {
  NewNode node;
  node.kind = FileKind::kDirectory;
  node.permissions = 0755;
  Race([&](int) { PutAndDelete("dir/key"); },
       [&](int i) {
         if (i % 2 == 0) {
           const auto made = files().MakeNode(caller_, root_, "dir", node);
           ASSERT_TRUE(made.ok() || made.Is(ErrorCode::kExists)) << made.error().ToString();
         } else {
           const auto removed = files().RemoveDirectory(caller_, root_, "dir");
           ASSERT_TRUE(removed.ok() || removed.Is(ErrorCode::kNotEmpty) ||
                       removed.Is(ErrorCode::kNotFound))
               << removed.error().ToString();
         }
       });
}

TEST_F(RacesTest, DeleteOfADirectoryKeyAgainstDeleteAndPutInside) {
  Race([&](int) { PutAndDelete("dir/key"); },
       [&](int i) {
         if (i % 2 == 0) {
           const auto put = Put("dir/", i % 4 == 0 ? "" : "content");
           ASSERT_TRUE(put.ok()) << put.error().ToString();
           ASSERT_TRUE(Head("dir/").ok());
         } else {
           const auto deleted = objects().Delete(caller_, bucket_, "dir/");
           ASSERT_TRUE(deleted.ok()) << deleted.error().ToString();
           ASSERT_FALSE(Head("dir/").ok());
         }
       });
}

TEST_F(RacesTest, DeleteBucketAgainstPut) {
  Buckets& buckets = engine_->buckets();
  const auto put_one = [&](BucketId bucket) -> Status {
    AMPHORA_ASSIGN(auto writer, objects().BeginPut({bucket, "a/key", std::nullopt, {}}));
    AMPHORA_TRY(writer->Append(Bytes("x")));
    const auto outcome = writer->Commit({});
    return outcome.ok() ? Ok() : Status(outcome.error());
  };
  Race(
      [&](int) {
        const auto found = buckets.FindBucket("s3v", "raced");
        if (!found.ok()) {
          ASSERT_TRUE(found.Is(ErrorCode::kNoSuchBucket)) << found.error().ToString();
          return;
        }
        const Status put = put_one(found->id);
        if (!put.ok()) {
          ASSERT_TRUE(put.Is(ErrorCode::kNoSuchBucket)) << put.error().ToString();
          return;
        }
        // While it holds the key, nobody can delete it.
        ASSERT_EQ(buckets.FindBucket("s3v", "raced").value().id, found->id);
        ASSERT_TRUE(objects().Head(found->id, "a/key").ok());
        ASSERT_TRUE(objects().Delete(caller_, found->id, "a/key")->existed);
      },
      [&](int i) {
        if (i % 2 == 0) {
          const auto made = buckets.CreateBucket(caller_, "t", "s3v", "raced");
          ASSERT_TRUE(made.ok() || made.Is(ErrorCode::kExists)) << made.error().ToString();
        } else {
          const auto deleted = buckets.DeleteBucket("s3v", "raced");
          ASSERT_TRUE(deleted.ok() || deleted.Is(ErrorCode::kBucketNotEmpty) ||
                      deleted.Is(ErrorCode::kNoSuchBucket))
              << deleted.error().ToString();
        }
      });
}

// Directory renames move the ground below PUTs and DELETEs; what was put is always under one of the
// names.
TEST_F(RacesTest, DirectoryRenameAgainstPutAndDelete) {
  Mkdir(root_, "one");
  Race(
      [&](int) {
        const auto put = Put("one/key", "x");
        ASSERT_TRUE(put.ok()) << put.error().ToString();
        // It moves while it is sought; it can't be lost.
        int looks = 0;
        while (
            !objects().Delete(caller_, bucket_, looks % 2 == 0 ? "one/key" : "two/key")->existed) {
          ASSERT_LT(++looks, 100'000);
        }
      },
      [&](int) {
        const Status there = RenameName(root_, "one", root_, "two", RenameMode::kNoReplace);
        ASSERT_TRUE(there.ok() || there.Is(ErrorCode::kNotFound) || there.Is(ErrorCode::kExists))
            << there.error().ToString();
        const Status back = RenameName(root_, "two", root_, "one", RenameMode::kReplace);
        ASSERT_TRUE(back.ok() || back.Is(ErrorCode::kNotFound) || back.Is(ErrorCode::kNotEmpty))
            << back.error().ToString();
      });
}

}  // namespace
}  // namespace amphora::fs
