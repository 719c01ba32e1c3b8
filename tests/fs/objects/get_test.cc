// HEAD, GET and what LIST says of the same keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <atomic>
#include <thread>

#include "tests/fs/objects/object_fixture.h"

namespace amphora::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class GetTest : public test::ObjectTest {
 protected:
  // LIST, HEAD and GET must agree on every key.
  void ExpectAgreement() {
    for (const ObjectInfo& listed : List("", "").objects) {
      const auto head = Head(listed.key);
      ASSERT_TRUE(head.ok()) << listed.key;
      EXPECT_EQ(head->size, listed.size) << listed.key;
      EXPECT_EQ(head->etag, listed.etag) << listed.key;
      EXPECT_EQ(head->last_modified, listed.last_modified) << listed.key;
      auto reader = objects().Open(bucket_, listed.key);
      ASSERT_TRUE(reader.ok()) << listed.key;
      EXPECT_EQ((*reader)->info().size, listed.size) << listed.key;
      EXPECT_EQ((*reader)->info().etag, listed.etag) << listed.key;
      EXPECT_EQ(GetObject(listed.key)->size(), listed.size) << listed.key;
    }
  }
};

TEST_F(GetTest, MissingKeysAreNotFound) {
  ASSERT_TRUE(Put("a/b", "x").ok());
  for (const char* key : {"b", "a", "a/", "a/c", "a/b/", "a/b/c", "/a/b", "a//b"}) {
    EXPECT_TRUE(Head(key).Is(ErrorCode::kNotFound)) << key;
    EXPECT_TRUE(objects().Open(bucket_, key).Is(ErrorCode::kNotFound)) << key;
  }
  EXPECT_TRUE(Head("").Is(ErrorCode::kNotFound));
}

TEST_F(GetTest, ReadsAnyRange) {
  const std::string small = "0123456789";
  std::string large(300'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7);
  ASSERT_TRUE(Put("small", small).ok());
  ASSERT_TRUE(Put("large", large).ok());
  for (const auto& [key, content] : {std::pair("small", small), std::pair("large", large)}) {
    auto reader = objects().Open(bucket_, key);
    ASSERT_TRUE(reader.ok());
    for (const std::size_t offset : {std::size_t{0}, std::size_t{3}, content.size() - 1}) {
      std::string part(5, '\0');
      const auto count = (*reader)->Read(offset, std::as_writable_bytes(std::span(part)));
      ASSERT_TRUE(count.ok());
      EXPECT_EQ(part.substr(0, *count), content.substr(offset, 5));
    }
    char byte;
    EXPECT_EQ((*reader)->Read(content.size(), std::as_writable_bytes(std::span(&byte, 1))).value(),
              0u);
  }
}

TEST_F(GetTest, SpecialFilesAreZeroByteObjectsThatSayWhatTheyAre) {
  NewNode link;
  link.kind = FileKind::kSymlink;
  link.symlink_target = "to where\n";
  ASSERT_TRUE(files().MakeNode(caller_, root_, "link", link).ok());
  NewNode fifo;
  fifo.kind = FileKind::kFifo;
  ASSERT_TRUE(files().MakeNode(caller_, root_, "pipe", fifo).ok());
  NewNode device;
  device.kind = FileKind::kCharacterDevice;
  device.device = makedev(1, 3);
  ASSERT_TRUE(files().MakeNode(caller_, root_, "null", device).ok());
  EXPECT_THAT(Head("link")->metadata.user, ElementsAre(Pair("amphora-kind", "symlink"),
                                                       Pair("amphora-target", "to%20where%0A")));
  EXPECT_THAT(Head("pipe")->metadata.user, ElementsAre(Pair("amphora-kind", "fifo")));
  EXPECT_THAT(Head("null")->metadata.user,
              ElementsAre(Pair("amphora-kind", "character-device"), Pair("amphora-device", "1:3")));
  EXPECT_EQ(Head("link")->size, 0u);
  ExpectAgreement();
}

TEST_F(GetTest, ListHeadAndGetAgreeAlsoWhileAFileIsWritten) {
  ASSERT_TRUE(Put("s3", "content").ok());
  ASSERT_TRUE(Put("dir/", "with content").ok());
  ASSERT_TRUE(Put("explicit/", "").ok());
  Mkdir(root_, "made");
  WriteFile(root_, "posix", "written");
  const auto handle = Open(Find("s3")->inode, true);
  ExpectAgreement();
  const std::string before = Head("s3")->etag;
  ASSERT_TRUE(handle->Write(0, Bytes("a longer content")).ok());
  ExpectAgreement();
  EXPECT_EQ(GetObject("s3").value(), "a longer content");
  const std::string during = Head("s3")->etag;
  EXPECT_NE(during, before);
  EXPECT_THAT(during, ::testing::HasSubstr("-"));
  ASSERT_TRUE(handle->Flush().ok());
  handle->Release();
  ExpectAgreement();
  Reopen();
  ExpectAgreement();
}

TEST_F(GetTest, ATruncatedAndExtendedFileReadsZeros) {
  const InodeId inode = WriteFile(root_, "sparse", "abc");
  AttributeChange change;
  change.size = 100'000;
  ASSERT_TRUE(files().SetAttributes(caller_, inode, change, nullptr).ok());
  std::string expected(100'000, '\0');
  expected.replace(0, 3, "abc");
  EXPECT_EQ(GetObject("sparse").value(), expected);
}

TEST_F(GetTest, ReadConditionsFollowTheirOrderOfPrecedence) {
  ObjectInfo info;
  info.etag = "tag";
  info.last_modified = Time(1'000'900'000'000);  // 1000.9 s
  Conditions conditions;
  conditions.if_match = {"tag"};
  conditions.if_unmodified_since = Time(0);  // if_match decides
  EXPECT_TRUE(CheckReadConditions(conditions, info).ok());
  conditions.if_match = {"other"};
  EXPECT_TRUE(CheckReadConditions(conditions, info).Is(ErrorCode::kPreconditionFailed));
  conditions = {};
  conditions.if_unmodified_since = Time(1'000'000'000'000);  // the same second
  EXPECT_TRUE(CheckReadConditions(conditions, info).ok());
  conditions.if_unmodified_since = Time(999'000'000'000);
  EXPECT_TRUE(CheckReadConditions(conditions, info).Is(ErrorCode::kPreconditionFailed));
  conditions = {};
  conditions.if_none_match = {"x", "tag"};
  EXPECT_TRUE(CheckReadConditions(conditions, info).Is(ErrorCode::kNotModified));
  conditions.if_none_match = {"x"};
  conditions.if_modified_since = Time(2'000'000'000'000);  // if_none_match decides
  EXPECT_TRUE(CheckReadConditions(conditions, info).ok());
  conditions = {};
  conditions.if_modified_since = Time(1'000'000'000'000);
  EXPECT_TRUE(CheckReadConditions(conditions, info).Is(ErrorCode::kNotModified));
  conditions.if_modified_since = Time(999'000'000'000);
  EXPECT_TRUE(CheckReadConditions(conditions, info).ok());
  conditions = {};
  conditions.if_match = {"*"};
  conditions.if_none_match = {"*"};
  EXPECT_TRUE(CheckReadConditions(conditions, info).Is(ErrorCode::kNotModified));
}

// Each PUT writes one byte over and over; a torn answer would mix bytes or disagree with its ETag.
TEST_F(GetTest, IsNeverTornByPutsBeside) {
  constexpr int kRounds = 400;
  std::atomic<bool> stop{false};
  ASSERT_TRUE(Put("key", "a").ok());
  std::thread writer([&] {
    for (int i = 0; i < kRounds; ++i) {
      const std::size_t size = i % 3 == 0 ? 40'000 : 100 + i;
      EXPECT_TRUE(Put("key", std::string(size, static_cast<char>('a' + i % 26))).ok());
    }
    stop = true;
  });
  int reads = 0;
  while (!stop) {
    auto reader = objects().Open(bucket_, "key");
    ASSERT_TRUE(reader.ok()) << reader.error().ToString();
    std::string content((*reader)->info().size, '\0');
    const auto count = (*reader)->Read(0, std::as_writable_bytes(std::span(content)));
    ASSERT_TRUE(count.ok());
    ASSERT_EQ(*count, content.size());
    EXPECT_EQ(content.find_first_not_of(content[0]), std::string::npos);
    ++reads;
  }
  writer.join();
  EXPECT_GT(reads, 0);
}

}  // namespace
}  // namespace amphora::fs
