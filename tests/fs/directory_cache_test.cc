// What is remembered of directories is what the store has, also while many change them at once.
#include "fs/directory_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/engine_fixture.h"

namespace amphora::fs {
namespace {

const InodeId kDirectory(77);

meta::MergeValue Sum(std::int64_t value) {
  meta::MergeValue sums;
  sums.sums[0] = value;
  return sums;
}

TEST(DirectoryCacheTest, SumsMoveOnWithWhatIsCommitted) {
  DirectoryCache cache;
  cache.RememberSums(kDirectory, cache.Generation(kDirectory), Sum(5));
  DirectoryCache::Changes changes(cache);
  changes.Sums(kDirectory, Sum(2));
  EXPECT_EQ(cache.FindSums(kDirectory), Sum(5));
  changes.Committed();
  EXPECT_EQ(cache.FindSums(kDirectory), Sum(7));
}

TEST(DirectoryCacheTest, WhatWasReadBesideAChangeIsNotRemembered) {
  DirectoryCache cache;
  const std::uint64_t before = cache.Generation(kDirectory);
  DirectoryCache::Changes changes(cache);
  changes.Sums(kDirectory, Sum(2));
  changes.Row(kDirectory);
  // Read before the announcement, and read before the outcome is noted.
  for (const std::uint64_t generation : {before, cache.Generation(kDirectory)}) {
    cache.RememberSums(kDirectory, generation, Sum(5));
    cache.RememberRow(kDirectory, generation, InodeRecord());
    EXPECT_FALSE(cache.FindSums(kDirectory));
    EXPECT_FALSE(cache.FindRow(kDirectory));
  }
  changes.Committed();
  cache.RememberRow(kDirectory, before, InodeRecord());
  EXPECT_FALSE(cache.FindRow(kDirectory));
  cache.RememberRow(kDirectory, cache.Generation(kDirectory), InodeRecord());
  EXPECT_TRUE(cache.FindRow(kDirectory));
}

TEST(DirectoryCacheTest, AnUnknownOutcomeForgetsTheSums) {
  DirectoryCache cache;
  cache.RememberSums(kDirectory, cache.Generation(kDirectory), Sum(5));
  DirectoryCache::Changes changes(cache);
  changes.Sums(kDirectory, Sum(2));
  changes.Abandon();
  EXPECT_FALSE(cache.FindSums(kDirectory));
}

TEST(DirectoryCacheTest, ManyDirectoriesTakeBoundedRoomAndLoseNoAnnouncement) {
  DirectoryCache cache;
  cache.RememberSums(kDirectory, cache.Generation(kDirectory), Sum(1));
  DirectoryCache::Changes changes(cache);
  changes.Sums(kDirectory, Sum(1));
  for (std::uint64_t id = 1000; id < 100'000; ++id) {
    cache.RememberSums(InodeId(id), cache.Generation(InodeId(id)), Sum(0));
  }
  changes.Committed();
  EXPECT_EQ(cache.FindSums(kDirectory), Sum(2));
}

class DirectoryCacheEngineTest : public test::EngineTest {};

TEST_F(DirectoryCacheEngineTest, AttributesAreThoseOfTheStoreAfterManyChangedOneDirectory) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string name = "d" + std::to_string(t) + "-" + std::to_string(i);
        Mkdir(root_, name);
        EXPECT_TRUE(files().GetAttributes(root_).ok());
        if (i % 2 == 0) {
          EXPECT_TRUE(files().RemoveDirectory(caller_, root_, name).ok());
        }
        AttributeChange change;
        change.permissions = 0700 + static_cast<std::uint32_t>(i % 8);
        EXPECT_TRUE(files().SetAttributes(caller_, root_, change, nullptr).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto remembered = files().GetAttributes(root_);
  ASSERT_TRUE(remembered.ok());
  EXPECT_EQ(remembered->links, 2u + kThreads * kRounds / 2);
  Reopen();
  const auto stored = files().GetAttributes(root_);
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(remembered->links, stored->links);
  EXPECT_EQ(remembered->permissions, stored->permissions);
  EXPECT_EQ(remembered->modified, stored->modified);
  EXPECT_EQ(remembered->changed, stored->changed);
}

}  // namespace
}  // namespace amphora::fs
