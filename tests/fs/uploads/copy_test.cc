// CopyObject and UploadPartCopy: blobs are shared, conditions decide, writers don't shine through.
#include <gtest/gtest.h>

#include "tests/fs/uploads/upload_fixture.h"

namespace amphora::fs {
namespace {

using test::kPartBytes;
using test::Md5Of;
using test::Pattern;

class CopyTest : public test::UploadTest {
 protected:
  CopyPartRequest PartOf(const UploadName& upload, std::uint32_t number, std::string_view source) {
    CopyPartRequest request;
    request.upload = upload;
    request.number = number;
    request.source_bucket = bucket_;
    request.source_key = source;
    request.caller = caller_;
    return request;
  }
};

TEST_F(CopyTest, ALargeObjectIsSharedAndEachCopyIsItsOwnToWriters) {
  const std::string bytes = Pattern(300'000, 1);
  PutOptions options;
  options.metadata.user = {{"a", "b"}};
  ASSERT_TRUE(Put("from", bytes, options).ok());
  const auto copied = Copy("from", "dir/to");
  ASSERT_TRUE(copied.ok()) << copied.error().ToString();
  EXPECT_EQ(copied->info.etag, Head("from")->etag);
  EXPECT_EQ(Head("dir/to")->metadata.user, options.metadata.user);
  EXPECT_EQ(Head("dir/to")->checksum, Head("from")->checksum);
  EXPECT_EQ(BlobFiles(), 1u);
  WriteFile(root_, "from", "short");
  EXPECT_EQ(GetObject("dir/to").value(), bytes);
  auto writer = Open(Find("dir/to")->inode, true);
  ASSERT_TRUE(writer->Write(0, Bytes("XY")).ok());
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_EQ(GetObject("dir/to").value(), "XY" + bytes.substr(2));
  EXPECT_EQ(GetObject("from").value(), "short");
}

TEST_F(CopyTest, AHeldWriterOfTheSourceDoesNotShineThrough) {
  const std::string bytes = Pattern(300'000, 1);
  WriteFile(root_, "from", bytes);
  auto writer = Open(Find("from")->inode, true);
  ASSERT_TRUE(writer->Write(0, Bytes("before")).ok());
  ASSERT_TRUE(Copy("from", "to").ok());
  ASSERT_TRUE(writer->Write(0, Bytes("behind")).ok());
  EXPECT_EQ(GetObject("to").value(), "before" + bytes.substr(6));
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_EQ(GetObject("to").value(), "before" + bytes.substr(6));
  EXPECT_EQ(GetObject("from").value(), "behind" + bytes.substr(6));
}

TEST_F(CopyTest, AFileInPassthroughIsCloned) {
  const std::string bytes = Pattern(300'000, 1);
  ASSERT_TRUE(PutObject("from", bytes).ok());
  OpenOptions options;
  options.write = true;
  options.passthrough_possible = true;
  auto opened = files().Open(caller_, Find("from")->inode, options);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(Copy("from", "to").ok());
  const int backing = opened->handle->backing_fd();
  if (backing >= 0) {
    ASSERT_EQ(::pwrite(backing, "XY", 2, 0), 2);
  } else {
    ASSERT_TRUE(opened->handle->Write(0, Bytes("XY")).ok());
  }
  EXPECT_EQ(GetObject("to").value(), bytes);
}

TEST_F(CopyTest, SmallAndEmptyObjectsAndDirectoriesAreCopied) {
  ASSERT_TRUE(Put("small", "abc").ok());
  WriteFile(root_, "posix", "from posix");
  WriteFile(root_, "empty", "");
  Mkdir(root_, "dir");
  for (const char* key : {"small", "posix", "empty"}) {
    ASSERT_TRUE(Copy(key, std::string("to-") + key).ok()) << key;
    EXPECT_EQ(GetObject(std::string("to-") + key).value(), GetObject(key).value());
  }
  EXPECT_EQ(Head("to-posix")->etag, ToHex(Md5Of("from posix"))) << "read, so it has a digest";
  EXPECT_EQ(Head("to-small")->etag, Head("small")->etag);
  ASSERT_TRUE(Copy("dir/", "to-dir/").ok());
  EXPECT_TRUE(Head("to-dir/").ok());
}

TEST_F(CopyTest, OntoItselfOnlyWithOtherMetadata) {
  const std::string bytes = Pattern(300'000, 1);
  ASSERT_TRUE(Put("key", bytes).ok());
  EXPECT_TRUE(Copy("key", "key").Is(ErrorCode::kInvalidArgument));
  auto request = CopyOf("key", "key");
  request.replace_metadata.emplace();
  request.replace_metadata->content_type = "text/new";
  ASSERT_TRUE(objects().Copy(request).ok());
  EXPECT_EQ(Head("key")->metadata.content_type, "text/new");
  EXPECT_EQ(GetObject("key").value(), bytes);
  EXPECT_EQ(BlobFiles(), 1u);
}

TEST_F(CopyTest, ConditionsOnSourceAndDestination) {
  ASSERT_TRUE(Put("from", "abc").ok());
  ASSERT_TRUE(Put("to", "old").ok());
  EXPECT_TRUE(Copy("missing", "to").Is(ErrorCode::kNotFound));
  auto request = CopyOf("from", "to");
  request.source_conditions.if_match = {"another"};
  EXPECT_TRUE(objects().Copy(request).Is(ErrorCode::kPreconditionFailed));
  request.source_conditions = {};
  request.source_conditions.if_none_match = {Head("from")->etag};
  EXPECT_TRUE(objects().Copy(request).Is(ErrorCode::kPreconditionFailed));
  request.source_conditions = {};
  request.conditions.if_none_match = {"*"};
  EXPECT_TRUE(objects().Copy(request).Is(ErrorCode::kPreconditionFailed));
  EXPECT_EQ(GetObject("to").value(), "old");
  request.conditions = {};
  request.conditions.if_match = {Head("to")->etag};
  EXPECT_TRUE(objects().Copy(request).ok());
  EXPECT_TRUE(objects().Copy(request).Is(ErrorCode::kPreconditionFailed)) << "it is another now";
  EXPECT_EQ(GetObject("to").value(), "abc");
}

TEST_F(CopyTest, ToAnotherBucketAndBackAfterTheSourceIsGone) {
  const auto other = engine_->buckets().CreateBucket(caller_, "tester", "s3v", "other");
  ASSERT_TRUE(other.ok());
  const std::string bytes = Pattern(100'000, 1);
  ASSERT_TRUE(Put("from", bytes).ok());
  auto request = CopyOf("from", "to");
  request.bucket = other->info.id;
  ASSERT_TRUE(objects().Copy(request).ok());
  EXPECT_TRUE(Delete("from"));
  EXPECT_EQ(BlobFiles(), 1u);
  request = CopyOf("to", "back");
  request.source_bucket = other->info.id;
  ASSERT_TRUE(objects().Copy(request).ok());
  EXPECT_EQ(GetObject("back").value(), bytes);
}

TEST_F(CopyTest, AMultipartObjectKeepsItsEtagAlsoWithExtents) {
  ASSERT_TRUE(ArmFailpoint("fs.join.blob_sync", "fail"));
  const std::vector<std::string> parts = {Pattern(kPartBytes, 1), Pattern(kPartBytes + 1, 2),
                                          Pattern(3, 3)};
  const std::string etag = PutParts("from", parts);
  ASSERT_TRUE(HasExtents());
  ASSERT_TRUE(Copy("from", "to").ok());
  EXPECT_TRUE(Delete("from"));
  EXPECT_EQ(GetObject("to").value(), Join(parts));
  EXPECT_EQ(Head("to")->etag, etag);
  EXPECT_EQ(Head("to")->parts, 3u);
  DisarmAllFailpoints();
  EXPECT_EQ(BlobFiles(), 1u);
  EXPECT_EQ(GetObject("to").value(), Join(parts));
}

TEST_F(CopyTest, AnotherChecksumIsComputed) {
  const std::string bytes = Pattern(100'000, 1);
  ASSERT_TRUE(Put("from", bytes).ok());
  auto request = CopyOf("from", "to");
  request.checksum = DigestKind::kSha256;
  ASSERT_TRUE(objects().Copy(request).ok());
  EXPECT_EQ(Head("to")->checksum,
            (ObjectChecksum{.kind = DigestKind::kSha256,
                            .value = test::DigestsOf(bytes)[DigestKind::kSha256]}));
  EXPECT_EQ(Head("to")->etag, Head("from")->etag);
}

TEST_F(CopyTest, AMultipartObjectThatIsReadForAChecksumGetsItsMd5) {
  const std::vector<std::string> parts = {Pattern(kPartBytes, 1), Pattern(1000, 2)};
  const std::string etag = PutParts("from", parts);
  auto request = CopyOf("from", "to");
  request.checksum = DigestKind::kSha256;
  ASSERT_TRUE(objects().Copy(request).ok());
  EXPECT_EQ(Head("to")->etag, ToHex(Md5Of(Join(parts))));
  EXPECT_EQ(Head("to")->parts, 0u);
  EXPECT_EQ(Head("from")->etag, etag);
  EXPECT_EQ(GetObject("to").value(), Join(parts));
}

TEST_F(CopyTest, PartsOfOneSourceInOrderAreTheSourcesBlobAgain) {
  const std::string bytes = Pattern(2 * kPartBytes + 77, 1);
  ASSERT_TRUE(Put("from", bytes).ok());
  const auto upload = Begin("to");
  std::vector<CompletedPart> parts;
  for (std::uint32_t number = 1; number <= 3; ++number) {
    auto request = PartOf(upload, number, "from");
    const std::uint64_t offset = (number - 1) * kPartBytes;
    request.range = ByteSpan{offset, std::min<std::uint64_t>(kPartBytes, bytes.size() - offset)};
    const auto part = uploads().CopyPart(request);
    ASSERT_TRUE(part.ok()) << part.error().ToString();
    parts.push_back({number, part->part.etag, std::nullopt});
  }
  ASSERT_TRUE(Complete(upload, parts).ok());
  EXPECT_FALSE(HasExtents());
  EXPECT_EQ(BlobFiles(), 1u);
  EXPECT_EQ(GetObject("to").value(), bytes);
  EXPECT_TRUE(Delete("from"));
  EXPECT_EQ(GetObject("to").value(), bytes);
}

TEST_F(CopyTest, CopiedAndUploadedPartsMixAndSurviveTheirSource) {
  const std::string bytes = Pattern(kPartBytes, 1);
  ASSERT_TRUE(Put("from", bytes).ok());
  ASSERT_TRUE(Put("small", "abc").ok());
  const auto upload = Begin("to");
  std::vector<CompletedPart> parts;
  const auto whole = uploads().CopyPart(PartOf(upload, 1, "from"));
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->part.etag, Head("from")->etag);
  parts.push_back({1, whole->part.etag, std::nullopt});
  EXPECT_TRUE(Delete("from"));
  parts.push_back(Part(upload, 2, Pattern(kPartBytes, 2)).value());
  const auto small = uploads().CopyPart(PartOf(upload, 3, "small"));
  parts.push_back({3, small->part.etag, std::nullopt});
  EXPECT_EQ(small->part.etag, ToHex(Md5Of("abc")));
  ASSERT_TRUE(Complete(upload, parts).ok());
  EXPECT_EQ(GetObject("to").value(), bytes + Pattern(kPartBytes, 2) + "abc");
  EXPECT_EQ(BlobFiles(), 1u);
}

TEST_F(CopyTest, AChosenChecksumOfACopiedPartIsComputed) {
  const std::string bytes = Pattern(kPartBytes, 1);
  ASSERT_TRUE(Put("from", bytes).ok());
  CreateUploadRequest request;
  request.checksum = DigestKind::kCrc32;
  const auto upload = Begin("to", request);
  auto copy = PartOf(upload, 1, "from");
  copy.range = ByteSpan{10, 1000};
  const auto part = uploads().CopyPart(copy);
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(part->part.etag, ToHex(Md5Of(bytes.substr(10, 1000))));
  EXPECT_EQ(part->part.checksum, test::DigestsOf(bytes.substr(10, 1000))[DigestKind::kCrc32]);
  ASSERT_TRUE(Complete(upload, {{1, part->part.etag, part->part.checksum}}).ok());
  EXPECT_EQ(GetObject("to").value(), bytes.substr(10, 1000));
}

TEST_F(CopyTest, WrongPartCopiesAreRefused) {
  ASSERT_TRUE(Put("from", "abc").ok());
  const auto upload = Begin("to");
  EXPECT_TRUE(uploads().CopyPart(PartOf(upload, 1, "missing")).Is(ErrorCode::kNotFound));
  auto request = PartOf(upload, 1, "from");
  request.range = ByteSpan{1, 3};
  EXPECT_TRUE(uploads().CopyPart(request).Is(ErrorCode::kOutOfRange));
  request.range.reset();
  request.source_conditions.if_none_match = {"*"};
  EXPECT_TRUE(uploads().CopyPart(request).Is(ErrorCode::kPreconditionFailed));
  request.source_conditions = {};
  request.upload.id = std::string(32, '0');
  EXPECT_TRUE(uploads().CopyPart(request).Is(ErrorCode::kNoSuchUpload));
  EXPECT_TRUE(Rows("part").empty());
}

}  // namespace
}  // namespace amphora::fs
