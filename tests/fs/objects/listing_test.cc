// LIST against a sorted reference: every prefix, delimiter and page size gives the same pages, and
// a page costs what it returns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "meta/base/metrics.h"
#include "tests/fs/objects/object_fixture.h"
#include "tests/support/listing_reference.h"
#include "tests/support/scale.h"

namespace amphora::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using test::ListedPage;
using test::Merged;
using test::ReferenceListing;

class ListingTest : public test::ObjectTest {
 protected:
  void PutKeys(const std::set<std::string>& keys) {
    for (const std::string& key : keys) ASSERT_TRUE(Put(key, "").ok()) << key;
  }

  // One page compared; answers it.
  ListedPage Compare(const std::set<std::string>& keys, const ListRequest& request) {
    const auto listed = objects().List(request);
    EXPECT_TRUE(listed.ok());
    if (!listed.ok()) return {};
    const ListedPage expected = ReferenceListing(keys, request);
    ListedPage page = Merged(*listed);
    EXPECT_EQ(page.items, expected.items) << Text(request);
    EXPECT_EQ(page.truncated, expected.truncated) << Text(request);
    if (page.truncated) {
      EXPECT_EQ(page.next, expected.next) << Text(request);
    }
    return page;
  }

  // All pages of a listing.
  void CompareAll(const std::set<std::string>& keys, ListRequest request) {
    for (;;) {
      const ListedPage page = Compare(keys, request);
      if (HasFailure() || !page.truncated) return;
      request.start_after = page.next;
    }
  }

  ListRequest Request(std::string prefix, std::string delimiter, std::string start_after,
                      std::size_t limit) {
    return {bucket_, std::move(prefix), std::move(delimiter), std::move(start_after), limit};
  }

  static std::string Text(const ListRequest& request) {
    return "prefix=\"" + request.prefix + "\" delimiter=\"" + request.delimiter +
           "\" start_after=\"" + request.start_after + "\" limit=" + std::to_string(request.limit);
  }
};

TEST_F(ListingTest, OrderIsThatOfWholeKeys) {
  const std::set<std::string> keys = {"a",
                                      "a!",
                                      "a-b",
                                      "a/",
                                      "a/b",
                                      "a//",
                                      "a0",
                                      "a\x01",
                                      "b/c/d",
                                      "/",
                                      "//",
                                      "z\xc3\xa9",
                                      "\xf0\x9f\x8f\xba"};
  PutKeys(keys);
  EXPECT_THAT(Keys(), ::testing::ElementsAreArray(keys));
}

TEST_F(ListingTest, ADelimiterRollsUpAndPagesGoOnBehindIt) {
  PutKeys({"a/1", "a/2", "b", "c/1/x", "c/2"});
  auto page = List("", "/", "", 2);
  EXPECT_THAT(page.common_prefixes, ElementsAre("a/"));
  EXPECT_TRUE(page.truncated);
  EXPECT_EQ(page.next, "b");
  page = List("", "/", "a/", 2);
  EXPECT_THAT(page.common_prefixes, ElementsAre("c/"));
  EXPECT_FALSE(page.truncated);
  page = List("c/", "/");
  EXPECT_THAT(page.common_prefixes, ElementsAre("c/1/"));
  EXPECT_EQ(page.objects.size(), 1u);
}

TEST_F(ListingTest, FromInsideACommonPrefixItsRestStillRollsUp) {
  PutKeys({"a/1", "a/2", "b"});
  EXPECT_THAT(List("", "/", "a/1").common_prefixes, ElementsAre("a/"));
  EXPECT_THAT(List("", "/", "a/2").common_prefixes, IsEmpty());
  EXPECT_THAT(List("", "/", "a/").common_prefixes, IsEmpty());
}

TEST_F(ListingTest, AnEmptyExplicitDirectoryIsAKeyAndRollsUp) {
  Mkdir(root_, "made");
  EXPECT_THAT(Keys(), ElementsAre("made/"));
  EXPECT_THAT(List("", "/").common_prefixes, ElementsAre("made/"));
  const auto inside = List("made/", "/");
  ASSERT_EQ(inside.objects.size(), 1u);
  EXPECT_EQ(inside.objects[0].key, "made/");
  EXPECT_TRUE(inside.objects[0].directory);
}

TEST_F(ListingTest, ADirectoryWithContentIsOneKey) {
  ASSERT_TRUE(Put("d/", "content").ok());
  const auto page = List("", "");
  ASSERT_EQ(page.objects.size(), 1u);
  EXPECT_EQ(page.objects[0].size, 7u);
  EXPECT_FALSE(page.objects[0].directory);
}

TEST_F(ListingTest, ALimitOfZeroAnswersNothing) {
  PutKeys({"a"});
  const auto page = List("", "", "", 0);
  EXPECT_THAT(page.objects, IsEmpty());
  EXPECT_FALSE(page.truncated);
}

TEST_F(ListingTest, BytesThatAreNoTextAreListedAsTheyAre) {
  std::set<std::string> keys;
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '/') continue;
    const std::string name = std::string("n") + static_cast<char>(byte);
    WriteFile(root_, name, "");
    keys.insert(name);
  }
  EXPECT_THAT(Keys(), ::testing::ElementsAreArray(keys));
  CompareAll(keys, Request("n\xff", "", "", 10));
  CompareAll(keys, Request("", "\xfe", "", 10));
}

// A small alphabet, so that every prefix collides with names, directories and their order.
TEST_F(ListingTest, SmallTreesAgreeWithTheReferenceInEveryWay) {
  const std::vector<std::string> parts = {"a", "a!", "a0", "b", "", "/", "ab", "."};
  std::mt19937 random(7);
  std::set<std::string> keys;
  while (keys.size() < 120) {
    std::string key;
    const int count = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < count; ++i) {
      key += parts[random() % parts.size()];
      if (random() % 2 == 0) key += "/";
    }
    if (!key.empty()) keys.insert(key);
  }
  PutKeys(keys);
  std::set<std::string> words = {"", "a", "a/", "a!", "b/", "/", "//", "zz", "a/a", "."};
  for (const std::string& key : keys) words.insert(key.substr(0, random() % (key.size() + 1)));
  for (const char* delimiter : {"", "/", "a", "/a", "//", "!", "b/"}) {
    for (const std::string& prefix : words) {
      CompareAll(keys, Request(prefix, delimiter, "", 1 + random() % 7));
      for (const std::string& after : words) {
        Compare(keys, Request(prefix, delimiter, after, 1 + random() % 9));
      }
      ASSERT_FALSE(HasFailure());
    }
  }
}

std::string RandomKey(std::mt19937& random) {
  static const std::vector<std::string> kNames = {
      "photos", "a", "a!", "a-very-long-name", "0", "é", "logs", "b", "z", "2026", "x y"};
  std::string key;
  const int depth = static_cast<int>(random() % 5);
  for (int i = 0; i < depth; ++i) {
    key += kNames[random() % kNames.size()];
    if (random() % 3 == 0) key += std::to_string(random() % 20);
    key += "/";
  }
  key += kNames[random() % kNames.size()] + std::to_string(random() % 5000);
  if (random() % 50 == 0) key += "/";
  return key;
}

TEST_F(ListingTest, AHundredThousandKeysAgreeWithTheReferenceAndPagesCostWhatTheyReturn) {
  std::mt19937 random(20261123);
  std::set<std::string> keys;
  const std::size_t wanted = test::Scaled<std::size_t>(100'000, 2000);
  while (keys.size() < wanted) {
    std::string key = RandomKey(random);
    if (!keys.insert(key).second) continue;
    ASSERT_TRUE(Put(key, "").ok()) << key;
  }
  std::vector<std::string> sample;
  std::ranges::sample(keys, std::back_inserter(sample), test::Scaled(400, 40), random);
  // Whole listings, flat and by directory.
  CompareAll(keys, Request("", "", "", 1000));
  CompareAll(keys, Request("", "/", "", 3));
  CompareAll(keys, Request("", "o", "", 100));
  int pages = 0;
  for (const std::string& key : sample) {
    const std::string prefix = key.substr(0, random() % (key.size() + 1));
    for (const char* delimiter : {"", "/", "a", "os/"}) {
      for (const std::size_t limit : {1u, 10u, 1000u}) {
        const std::string after = random() % 2 == 0 ? "" : sample[random() % sample.size()];
        const std::uint64_t rows_before = Value(Counter::kStoreScanRows);
        const std::uint64_t gets_before = Value(Counter::kStoreGets);
        const ListedPage page = Compare(keys, Request(prefix, delimiter, after, limit));
        ASSERT_FALSE(HasFailure());
        const std::uint64_t rows = Value(Counter::kStoreScanRows) - rows_before;
        const std::uint64_t gets = Value(Counter::kStoreGets) - gets_before;
        // Per item: the rows of the directories that lead to it (5 deep at most) and what was read
        // ahead.
        const std::uint64_t levels = 6;
        EXPECT_LE(rows, 8 * levels + 8 * (page.items.size() + 1) * (delimiter[0] == '\0' ? 2 : 3))
            << Text(Request(prefix, delimiter, after, limit)) << " items " << page.items.size();
        EXPECT_LE(gets, levels + 6 * (page.items.size() + 1));
        ++pages;
      }
    }
  }
  // A directory listing reads the children, whatever lies below them.
  const std::uint64_t rows_before = Value(Counter::kStoreScanRows);
  const auto top = List("", "/");
  const std::uint64_t rows = Value(Counter::kStoreScanRows) - rows_before;
  EXPECT_LE(rows, 2 * (top.objects.size() + top.common_prefixes.size()) + 16);
  RecordProperty("pages", pages);
}

}  // namespace
}  // namespace amphora::fs
