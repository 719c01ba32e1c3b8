// ListParts and ListMultipartUploads: order, pages, prefixes, markers.
#include <gtest/gtest.h>

#include "tests/fs/uploads/upload_fixture.h"

namespace amphora::fs {
namespace {

class UploadListTest : public test::UploadTest {
 protected:
  // "key" or "prefix/*" of each item, page by page.
  std::vector<std::string> All(ListUploadsRequest request) {
    request.bucket = bucket_;
    std::vector<std::string> all;
    for (int pages = 0; pages < 100; ++pages) {
      const auto page = uploads().ListUploads(request);
      EXPECT_TRUE(page.ok());
      if (!page.ok()) break;
      EXPECT_LE(page->uploads.size() + page->common_prefixes.size(), request.limit);
      for (const UploadInfo& upload : page->uploads) all.push_back(upload.key);
      for (const std::string& prefix : page->common_prefixes) all.push_back(prefix + "*");
      if (!page->truncated) break;
      request.key_marker = page->next_key;
      request.upload_id_marker = page->next_id;
    }
    return all;
  }
};

TEST_F(UploadListTest, PartsAreListedByNumberInPages) {
  const auto upload = Begin("key");
  for (const std::uint32_t number : {300u, 2u, 10'000u, 1u}) {
    ASSERT_TRUE(Part(upload, number, "bytes of " + std::to_string(number)).ok());
  }
  const auto first = uploads().ListParts({.upload = upload, .after = 0, .limit = 3});
  ASSERT_TRUE(first.ok() && first->truncated);
  ASSERT_EQ(first->parts.size(), 3u);
  EXPECT_EQ(first->parts[0].number, 1u);
  EXPECT_EQ(first->parts[1].etag, ToHex(test::Md5Of("bytes of 2")));
  EXPECT_EQ(first->next, 300u);
  const auto second = uploads().ListParts({.upload = upload, .after = first->next, .limit = 3});
  ASSERT_TRUE(second.ok() && !second->truncated);
  EXPECT_EQ(second->parts.at(0).number, 10'000u);
  EXPECT_EQ(second->parts.at(0).size, 14u);
  EXPECT_EQ(second->upload.id, upload.id);
  EXPECT_TRUE(uploads().ListParts({.upload = upload, .after = 10'000})->parts.empty());
}

TEST_F(UploadListTest, UploadsAreListedByKeyThenByInitiation) {
  const auto b1 = Begin("b");
  const auto nul = Begin(std::string("a\0", 2));
  const auto a = Begin("a");
  const auto b2 = Begin("b");
  const auto longer = Begin("a/b");
  ListUploadsRequest request;
  request.bucket = bucket_;
  const auto page = uploads().ListUploads(request);
  ASSERT_TRUE(page.ok());
  std::vector<std::string> ids;
  for (const UploadInfo& upload : page->uploads) ids.push_back(upload.id);
  EXPECT_EQ(ids, (std::vector{a.id, nul.id, longer.id, b1.id, b2.id}));
  EXPECT_FALSE(page->truncated);
  for (std::size_t limit = 1; limit < 6; ++limit) {
    request.limit = limit;
    EXPECT_EQ(All(request),
              (std::vector<std::string>{"a", std::string("a\0", 2), "a/b", "b", "b"}));
  }
}

TEST_F(UploadListTest, PrefixesAreCutAtTheDelimiter) {
  for (const char* key : {"x", "dir/a", "dir/b", "dir2/c/d", "dir2/e", "zz"}) Begin(key);
  ListUploadsRequest request;
  request.delimiter = "/";
  for (std::size_t limit = 1; limit < 6; ++limit) {
    request.limit = limit;
    auto all = All(request);
    std::ranges::sort(all);
    EXPECT_EQ(all, (std::vector<std::string>{"dir/*", "dir2/*", "x", "zz"})) << limit;
  }
  request.prefix = "dir2/";
  auto below = All(request);
  std::ranges::sort(below);
  EXPECT_EQ(below, (std::vector<std::string>{"dir2/c/*", "dir2/e"}));
  request.prefix = "dir";
  request.delimiter.clear();
  EXPECT_EQ(All(request), (std::vector<std::string>{"dir/a", "dir/b", "dir2/c/d", "dir2/e"}));
}

TEST_F(UploadListTest, MarkersAreExclusive) {
  const auto first = Begin("k");
  const auto second = Begin("k");
  Begin("k2");
  ListUploadsRequest request;
  request.key_marker = "k";
  EXPECT_EQ(All(request), (std::vector<std::string>{"k2"}));
  request.upload_id_marker = first.id;
  EXPECT_EQ(All(request), (std::vector<std::string>{"k", "k2"}));
  request.upload_id_marker = second.id;
  EXPECT_EQ(All(request), (std::vector<std::string>{"k2"}));
  request.upload_id_marker = "nonsense";
  request.bucket = bucket_;
  EXPECT_TRUE(uploads().ListUploads(request).Is(ErrorCode::kInvalidArgument));
  request = {};
  request.key_marker = "z";
  EXPECT_TRUE(All(request).empty());
  request.key_marker.clear();
  request.limit = 0;
  EXPECT_TRUE(All(request).empty());
}

}  // namespace
}  // namespace amphora::fs
