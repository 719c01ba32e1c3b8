// Multipart uploads: where parts go, what Complete checks, what is left behind.
#include <gtest/gtest.h>

#include "tests/fs/uploads/upload_fixture.h"

namespace amphora::fs {
namespace {

using test::DigestsOf;
using test::kPartBytes;
using test::Md5Of;
using test::Pattern;

class CompleteTest : public test::UploadTest {};

TEST_F(CompleteTest, EqualPartsBecomeOneBlobInOneTransaction) {
  const std::vector<std::string> parts = {Pattern(kPartBytes, 1), Pattern(kPartBytes, 2),
                                          Pattern(1000, 3)};
  const std::string etag = PutParts("dir/key", parts);
  EXPECT_EQ(etag, ToHex(Md5Of(Md5Of(parts[0]) + Md5Of(parts[1]) + Md5Of(parts[2]))) + "-3");
  EXPECT_FALSE(HasExtents());
  EXPECT_EQ(GetObject("dir/key").value(), Join(parts));
  const auto head = Head("dir/key");
  EXPECT_EQ(head->size, 2 * kPartBytes + 1000);
  EXPECT_EQ(head->parts, 3u);
  EXPECT_EQ(head->etag, etag);
  EXPECT_EQ(BlobFiles(), 1u);
  EXPECT_EQ(Usage().bytes, head->size);
  EXPECT_TRUE(Rows("upload").empty() && Rows("part").empty() && Rows("upload-blob").empty());
  Reopen();
  EXPECT_EQ(GetObject("dir/key").value(), Join(parts));
}

TEST_F(CompleteTest, PartsMayArriveInAnyOrderAndBesideEachOther) {
  const auto upload = Begin("key");
  const std::vector<std::string> bytes = {Pattern(kPartBytes, 1), Pattern(kPartBytes, 2),
                                          Pattern(700, 3)};
  std::vector<std::unique_ptr<PartWriter>> writers;
  for (const std::uint32_t number : {2u, 1u, 3u}) {
    auto writer = BeginPart(upload, number, bytes[number - 1].size());
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->Append(Bytes(bytes[number - 1].substr(0, 300))).ok());
    writers.push_back(std::move(*writer));
  }
  std::vector<CompletedPart> parts(3);
  for (const std::size_t i : {2u, 0u, 1u}) {
    const std::uint32_t number = i == 0 ? 2 : i == 1 ? 1 : 3;
    ASSERT_TRUE(writers[i]->Append(Bytes(bytes[number - 1]).subspan(300)).ok());
    const auto outcome = writers[i]->Commit({});
    ASSERT_TRUE(outcome.ok());
    parts[number - 1] = {number, outcome->part.etag, std::nullopt};
  }
  ASSERT_TRUE(Complete(upload, parts).ok());
  EXPECT_FALSE(HasExtents());
  EXPECT_EQ(GetObject("key").value(), Join(bytes));
}

TEST_F(CompleteTest, PartsOfDifferentSizesBecomeExtentsThatAreJoinedLater) {
  const std::vector<std::string> parts = {Pattern(kPartBytes, 1), Pattern(kPartBytes + 4096, 2),
                                          Pattern(kPartBytes, 3)};
  ASSERT_TRUE(ArmFailpoint("fs.join.blob_sync", "fail"));
  const std::string etag = PutParts("key", parts);
  EXPECT_TRUE(HasExtents());
  EXPECT_EQ(GetObject("key").value(), Join(parts));
  Reopen();
  EXPECT_TRUE(HasExtents());
  EXPECT_EQ(GetObject("key").value(), Join(parts));
  EXPECT_FALSE(engine_->admin().CollectGarbage({}).ok()) << "the join fails";
  DisarmAllFailpoints();
  EXPECT_EQ(BlobFiles(), 1u);
  EXPECT_FALSE(HasExtents());
  EXPECT_TRUE(Rows("join").empty());
  EXPECT_EQ(GetObject("key").value(), Join(parts));
  EXPECT_EQ(Head("key")->etag, etag);
}

TEST_F(CompleteTest, APartThatTheListLeavesOutIsNotInTheObject) {
  const auto upload = Begin("key");
  const auto parts = Parts(upload, {Pattern(kPartBytes, 1), Pattern(kPartBytes, 2), Pattern(9, 3)});
  ASSERT_TRUE(Complete(upload, {parts[0], parts[1]}).ok());
  EXPECT_EQ(GetObject("key").value(), Pattern(kPartBytes, 1) + Pattern(kPartBytes, 2));
  const auto second = Begin("gap");
  const auto gap = Parts(second, {Pattern(kPartBytes, 1), Pattern(kPartBytes, 2), Pattern(9, 3)});
  ASSERT_TRUE(Complete(second, {gap[0], gap[2]}).ok());
  EXPECT_EQ(GetObject("gap").value(), Pattern(kPartBytes, 1) + Pattern(9, 3));
}

TEST_F(CompleteTest, AReuploadedPartWinsAndAFailedOneLeavesTheOld) {
  const auto upload = Begin("key");
  auto parts = Parts(upload, {Pattern(kPartBytes, 1), Pattern(kPartBytes, 2)});
  {
    auto cut = BeginPart(upload, 1, kPartBytes);
    ASSERT_TRUE(cut.ok());
    ASSERT_TRUE((*cut)->Append(Bytes(Pattern(kPartBytes, 8))).ok());
  }
  parts[1] = Part(upload, 2, Pattern(kPartBytes, 9)).value();
  EXPECT_TRUE(ArmFailpoint("fs.part.before_commit", "fail"));
  EXPECT_FALSE(Part(upload, 2, Pattern(kPartBytes, 7)).ok());
  DisarmAllFailpoints();
  ASSERT_TRUE(Complete(upload, parts).ok());
  EXPECT_EQ(GetObject("key").value(), Pattern(kPartBytes, 1) + Pattern(kPartBytes, 9));
  EXPECT_EQ(BlobFiles(), 1u);
}

TEST_F(CompleteTest, APartThatFailedMayTryItsSlotAgain) {
  const auto upload = Begin("key");
  const auto first = Part(upload, 1, Pattern(kPartBytes, 1));
  EXPECT_TRUE(ArmFailpoint("fs.part.blob_sync", "fail"));
  EXPECT_FALSE(Part(upload, 2, Pattern(kPartBytes, 7)).ok());
  DisarmAllFailpoints();
  const auto second = Part(upload, 2, Pattern(kPartBytes, 2));
  ASSERT_TRUE(Complete(upload, {*first, *second}).ok());
  EXPECT_FALSE(HasExtents());
  EXPECT_EQ(GetObject("key").value(), Pattern(kPartBytes, 1) + Pattern(kPartBytes, 2));
}

TEST_F(CompleteTest, WrongListsAreRefusedAndChangeNothing) {
  const auto upload = Begin("key");
  const auto parts = Parts(upload, {Pattern(kPartBytes, 1), Pattern(100, 2), Pattern(100, 3)});
  EXPECT_TRUE(Complete(upload, {}).Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(Complete(upload, {parts[1], parts[0]}).Is(ErrorCode::kInvalidPartOrder));
  EXPECT_TRUE(Complete(upload, {parts[0], parts[0]}).Is(ErrorCode::kInvalidPartOrder));
  EXPECT_TRUE(Complete(upload, parts).Is(ErrorCode::kPartTooSmall));
  EXPECT_TRUE(Complete(upload, {parts[0], {4, parts[0].etag, {}}}).Is(ErrorCode::kInvalidPart));
  EXPECT_TRUE(Complete(upload, {{1, parts[1].etag, {}}}).Is(ErrorCode::kInvalidPart));
  EXPECT_TRUE(Complete(upload, {{1, parts[0].etag, "x"}}).Is(ErrorCode::kInvalidPart));
  CompleteRequest request;
  request.upload = upload;
  request.parts = {parts[0], parts[2]};
  request.expected_size = 7;
  EXPECT_TRUE(uploads().Complete(request).Is(ErrorCode::kInvalidArgument));
  request.expected_size.reset();
  request.conditions.if_match = {"*"};
  EXPECT_TRUE(uploads().Complete(request).Is(ErrorCode::kNotFound));
  EXPECT_FALSE(Exists("key"));
  ASSERT_TRUE(Put("key", "there").ok());
  request.conditions = {};
  request.conditions.if_none_match = {"*"};
  EXPECT_TRUE(uploads().Complete(request).Is(ErrorCode::kPreconditionFailed));
  EXPECT_EQ(GetObject("key").value(), "there");
  request.conditions = {};
  request.conditions.if_match = {Head("key")->etag};
  request.expected_size = kPartBytes + 100;
  EXPECT_TRUE(uploads().Complete(request).ok());
  EXPECT_EQ(GetObject("key").value(), Pattern(kPartBytes, 1) + Pattern(100, 3));
}

TEST_F(CompleteTest, PartNumbersAndIdsHaveLimits) {
  const auto upload = Begin("key");
  EXPECT_TRUE(BeginPart(upload, 0, 1).Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(BeginPart(upload, kMaxParts + 1, 1).Is(ErrorCode::kInvalidArgument));
  for (const std::string& id : {std::string(), std::string("x"), std::string(32, '0'),
                                std::string(32, 'f'), upload.id.substr(0, 31) + "g"}) {
    EXPECT_TRUE(BeginPart({bucket_, "key", id}, 1, 1).Is(ErrorCode::kNoSuchUpload)) << id;
    EXPECT_TRUE(uploads().Abort({bucket_, "key", id}).Is(ErrorCode::kNoSuchUpload)) << id;
  }
  std::string forged = upload.id;
  forged.back() = forged.back() == '0' ? '1' : '0';
  EXPECT_TRUE(BeginPart({bucket_, "key", forged}, 1, 1).Is(ErrorCode::kNoSuchUpload));
  EXPECT_TRUE(BeginPart({bucket_, "other", upload.id}, 1, 1).Is(ErrorCode::kNoSuchUpload));
}

TEST_F(CompleteTest, ASecondCompleteAnswersTheSame) {
  const auto upload = Begin("key");
  const auto parts = Parts(upload, {Pattern(kPartBytes, 1), Pattern(5, 2)});
  const auto first = Complete(upload, parts);
  const auto again = Complete(upload, parts);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->info.etag, first->info.etag);
  EXPECT_TRUE(Complete(upload, {parts[0]}).Is(ErrorCode::kNoSuchUpload)) << "other parts";
  Reopen();
  EXPECT_TRUE(Complete(upload, parts).ok());
  EXPECT_EQ(GetObject("key").value(), Pattern(kPartBytes, 1) + Pattern(5, 2));
}

// AWS answers a retry of a Complete for a while, whatever the key names by then.
TEST_F(CompleteTest, ASecondCompleteAnswersTheSameWhateverTheKeyHoldsNow) {
  CreateUploadRequest begin;
  begin.checksum = DigestKind::kSha256;
  begin.checksum_type = ChecksumType::kComposite;
  const auto upload = Begin("key", begin);
  const auto parts = Parts(upload, {Pattern(kPartBytes, 1), Pattern(10, 2)});
  const auto first = Complete(upload, parts);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(PutObject("key", "overwritten").ok());
  const auto expect_same = [&] {
    const auto again = Complete(upload, parts);
    ASSERT_TRUE(again.ok()) << again.error().ToString();
    EXPECT_EQ(again->info.etag, first->info.etag);
    EXPECT_EQ(again->info.size, first->info.size);
    EXPECT_EQ(again->info.checksum, first->info.checksum);
  };
  expect_same();
  EXPECT_EQ(GetObject("key").value(), "overwritten") << "it is answered, not done";
  EXPECT_TRUE(Delete("key"));
  expect_same();
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  Reopen();
  expect_same();
  // Other parts, another key, another id: that was never answered.
  EXPECT_TRUE(Complete(upload, {parts[0]}).Is(ErrorCode::kNoSuchUpload));
  UploadName other = upload;
  other.key = "other";
  EXPECT_TRUE(Complete(other, parts).Is(ErrorCode::kNoSuchUpload));
  other = upload;
  other.id.back() = other.id.back() == '0' ? '1' : '0';
  EXPECT_TRUE(Complete(other, parts).Is(ErrorCode::kNoSuchUpload));
  const auto aborted = Begin("key");
  const auto lost = Parts(aborted, {"x"});
  ASSERT_TRUE(uploads().Abort(aborted).ok());
  EXPECT_TRUE(Complete(aborted, lost).Is(ErrorCode::kNoSuchUpload));
}

TEST_F(CompleteTest, WhatIsRememberedOfFinishedUploadsIsBounded) {
  options_.finished_uploads_kept = 3;
  Reopen();
  for (int i = 0; i < 6; ++i) PutParts("key" + std::to_string(i), {"content"});
  EXPECT_EQ(Rows("finished-upload").size(), 6u);
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  const auto kept = Rows("finished-upload");
  ASSERT_EQ(kept.size(), 3u);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_NE(kept[i].find("key" + std::to_string(i + 3)), std::string::npos) << "the newest";
  }
  options_.finished_uploads_kept_s = 0;
  Reopen();
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_TRUE(Rows("finished-upload").empty());
}

TEST_F(CompleteTest, PartsCountInTheUsageOfTheirBucket) {
  const auto usage = [this] {
    const auto info = engine_->buckets().GetBucket("s3v", "bucket");
    ExpectConsistent();
    return std::pair(info->bytes, info->part_bytes);
  };
  using Usage = std::pair<std::uint64_t, std::uint64_t>;
  ASSERT_TRUE(PutObject("object", "12345").ok());
  const auto upload = Begin("key");
  auto parts = Parts(upload, {Pattern(kPartBytes, 1), Pattern(100, 2), Pattern(50, 3)});
  EXPECT_EQ(usage(), Usage(5, kPartBytes + 150));
  parts[1] = *Part(upload, 2, Pattern(70, 4));
  EXPECT_EQ(usage(), Usage(5, kPartBytes + 120)) << "sent again";
  Reopen();
  EXPECT_EQ(usage(), Usage(5, kPartBytes + 120));
  const auto aborted = Begin("aborted");
  Parts(aborted, {"abc"});
  EXPECT_EQ(usage(), Usage(5, kPartBytes + 123));
  ASSERT_TRUE(uploads().Abort(aborted).ok());
  ASSERT_TRUE(Complete(upload, {parts[0], parts[2]}).ok());
  EXPECT_EQ(usage(), Usage(kPartBytes + 55, 0)) << "what the list leaves out counts no more";
}

TEST_F(CompleteTest, AbortFreesEverythingAndEndsTheUpload) {
  const auto upload = Begin("key");
  Parts(upload, {Pattern(kPartBytes, 1), Pattern(kPartBytes + 1, 2)});
  auto writing = BeginPart(upload, 3, kPartBytes + 1);
  ASSERT_TRUE((*writing)->Append(Bytes("abc")).ok());
  ASSERT_TRUE(uploads().Abort(upload).ok());
  EXPECT_TRUE((*writing)->Append(Bytes("def")).Is(ErrorCode::kNoSuchUpload));
  EXPECT_TRUE((*writing)->Commit({}).Is(ErrorCode::kNoSuchUpload));
  writing->reset();
  EXPECT_TRUE(uploads().Abort(upload).Is(ErrorCode::kNoSuchUpload));
  EXPECT_EQ(BlobFiles(), 0u);
  EXPECT_TRUE(Rows("part").empty() && Rows("upload-blob").empty());
}

TEST_F(CompleteTest, APartOnItsWayWhenTheUploadEndsNeverReachesTheObject) {
  const auto upload = Begin("key");
  const auto parts = Parts(upload, {Pattern(kPartBytes, 1)});
  auto late = BeginPart(upload, 2, kPartBytes);
  ASSERT_TRUE((*late)->Append(Bytes("late")).ok());
  ASSERT_TRUE(Complete(upload, parts).ok());
  EXPECT_TRUE((*late)->Append(Bytes("later")).Is(ErrorCode::kNoSuchUpload));
  EXPECT_TRUE((*late)->Commit({}).Is(ErrorCode::kNoSuchUpload));
  EXPECT_EQ(GetObject("key").value(), Pattern(kPartBytes, 1));
  EXPECT_EQ(*ReadFile(root_, "key"), Pattern(kPartBytes, 1));
}

TEST_F(CompleteTest, EmptyAndSmallPartsMakeObjectsToo) {
  EXPECT_NE(PutParts("empty", {""}), "");
  EXPECT_EQ(GetObject("empty").value(), "");
  EXPECT_NE(PutParts("small", {"abc"}), "");
  EXPECT_EQ(GetObject("small").value(), "abc");
  EXPECT_NE(PutParts("dir/", {""}), "");
  EXPECT_TRUE(Head("dir/").ok());
}

TEST_F(CompleteTest, AnUploadGoesOnAfterARestart) {
  const auto upload = Begin("key");
  auto parts = Parts(upload, {Pattern(kPartBytes, 1), Pattern(kPartBytes, 2)});
  Reopen();
  parts.push_back(Part(upload, 3, Pattern(kPartBytes, 3)).value());
  ASSERT_TRUE(Complete(upload, parts).ok());
  EXPECT_EQ(GetObject("key").value(),
            Pattern(kPartBytes, 1) + Pattern(kPartBytes, 2) + Pattern(kPartBytes, 3));
  EXPECT_EQ(BlobFiles(), 1u);
}

TEST_F(CompleteTest, MetadataAndOwnerComeFromTheUpload) {
  CreateUploadRequest request;
  request.metadata.content_type = "text/x";
  request.metadata.user = {{"a", "b"}};
  const auto upload = Begin("key", request);
  ASSERT_TRUE(Complete(upload, Parts(upload, {"abc"})).ok());
  const auto head = Head("key");
  EXPECT_EQ(head->metadata.content_type, "text/x");
  EXPECT_EQ(head->metadata.user, request.metadata.user);
}

TEST_F(CompleteTest, DeletingABucketFreesItsUploads) {
  const auto upload = Begin("key");
  Parts(upload, {Pattern(kPartBytes, 1), Pattern(7, 2)});
  ASSERT_TRUE(Put("object", "x").ok());
  EXPECT_TRUE(engine_->buckets().DeleteBucket("s3v", "bucket").Is(ErrorCode::kBucketNotEmpty));
  EXPECT_EQ(Rows("part").size(), 2u) << "a refusal changes nothing";
  EXPECT_TRUE(Delete("object"));
  ASSERT_TRUE(engine_->buckets().DeleteBucket("s3v", "bucket").ok());
  EXPECT_TRUE(Part(upload, 3, "x").Is(ErrorCode::kNoSuchUpload));
  CreateUploadRequest request;
  request.bucket = bucket_;
  request.key = "key";
  EXPECT_TRUE(uploads().Create(request).Is(ErrorCode::kNoSuchBucket));
  EXPECT_EQ(BlobFiles(), 0u);
}

// Any number of uploads goes, some in each transaction; cut off in between, the bucket is there
// still.
TEST_F(CompleteTest, DeletingABucketFreesItsUploadsInSteps) {
  std::vector<UploadName> begun;
  for (int i = 0; i < 2500; ++i) begun.push_back(Begin("key"));
  Parts(begun.front(), {Pattern(kPartBytes, 1), "b"});
  Parts(begun.back(), {"c"});
  ASSERT_TRUE(ArmFailpoint("fs.bucket.between_steps", "fail"));
  EXPECT_FALSE(engine_->buckets().DeleteBucket("s3v", "bucket").ok());
  DisarmAllFailpoints();
  ExpectConsistent();
  const std::size_t left = Rows("upload").size();
  EXPECT_GT(left, 0u);
  EXPECT_LT(left, 2500u);
  EXPECT_TRUE(PutObject("object", "still a bucket").ok());
  EXPECT_TRUE(engine_->buckets().DeleteBucket("s3v", "bucket").Is(ErrorCode::kBucketNotEmpty));
  EXPECT_EQ(Rows("upload").size(), left);
  EXPECT_TRUE(Delete("object"));
  ASSERT_TRUE(engine_->buckets().DeleteBucket("s3v", "bucket").ok());
  EXPECT_TRUE(Rows("upload").empty());
  EXPECT_EQ(BlobFiles(), 0u);
  ExpectConsistent();
}

// The parts' own checksums stay with an object whose checksum is made of them, and with its copy.
TEST_F(CompleteTest, PartsKeepTheirChecksumsInACompositeObject) {
  CreateUploadRequest begin;
  begin.checksum = DigestKind::kCrc32c;
  begin.checksum_type = ChecksumType::kComposite;
  const std::vector<std::string> bytes = {Pattern(kPartBytes, 1), Pattern(kPartBytes + 9, 2),
                                          "end"};
  const auto upload = Begin("key", begin);
  ASSERT_TRUE(Complete(upload, Parts(upload, bytes)).ok());
  std::vector<std::string> expected;
  for (const std::string& part : bytes) expected.push_back(DigestsOf(part)[DigestKind::kCrc32c]);
  EXPECT_EQ(objects().PartChecksums(*Head("key")).value(), expected);
  ASSERT_TRUE(Copy("key", "copy").ok());
  ASSERT_TRUE(PutObject("key", "replaced").ok());
  EXPECT_TRUE(objects().PartChecksums(*Head("key"))->empty());
  EXPECT_EQ(objects().PartChecksums(*Head("copy")).value(), expected);
  Reopen();
  ExpectConsistent();
  EXPECT_EQ(objects().PartChecksums(*Head("copy")).value(), expected);
  // What POSIX writes has no parts; with the file the row goes.
  const InodeId inode = Find("copy")->inode;
  OpenOptions write;
  write.write = true;
  auto opened = files().Open(caller_, inode, write);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(opened->handle->Write(0, Bytes("posix")).ok());
  opened->handle->Release();
  EXPECT_TRUE(objects().PartChecksums(*Head("copy"))->empty());
  ExpectConsistent();
  EXPECT_TRUE(Delete("copy"));
  EXPECT_TRUE(Rows("part-checksums").empty());
  // A checksum over all bytes stands alone.
  begin.checksum_type = ChecksumType::kFullObject;
  const auto full = Begin("full", begin);
  ASSERT_TRUE(Complete(full, Parts(full, bytes)).ok());
  EXPECT_TRUE(Rows("part-checksums").empty());
}

TEST_F(CompleteTest, FullObjectChecksumsAreCombinedFromTheParts) {
  const std::vector<std::string> bytes = {Pattern(kPartBytes, 1), Pattern(kPartBytes + 3, 2),
                                          Pattern(11, 3)};
  for (const DigestKind kind : {DigestKind::kCrc32, DigestKind::kCrc32c, DigestKind::kCrc64Nvme}) {
    CreateUploadRequest request;
    request.checksum = kind;
    const auto upload = Begin("key", request);
    CompleteRequest complete;
    complete.upload = upload;
    complete.parts = Parts(upload, bytes);
    complete.expected_checksum = {.kind = kind, .value = "wrong"};
    EXPECT_TRUE(uploads().Complete(complete).Is(ErrorCode::kBadDigest));
    complete.expected_checksum->value = DigestsOf(Join(bytes))[kind];
    ASSERT_TRUE(uploads().Complete(complete).ok());
    EXPECT_EQ(Head("key")->checksum, complete.expected_checksum);
  }
}

TEST_F(CompleteTest, CompositeChecksumsAreOfThePartsChecksums) {
  for (const DigestKind kind : {DigestKind::kSha256, DigestKind::kSha1, DigestKind::kCrc32}) {
    CreateUploadRequest request;
    request.checksum = kind;
    request.checksum_type = ChecksumType::kComposite;
    const auto upload = Begin("key", request);
    const std::vector<std::string> bytes = {Pattern(kPartBytes, 1), Pattern(11, 3)};
    auto parts = Parts(upload, bytes);
    parts[0].checksum = DigestsOf(bytes[0])[kind];
    const auto done = Complete(upload, parts);
    ASSERT_TRUE(done.ok());
    const std::string of_parts = DigestsOf(bytes[0])[kind] + DigestsOf(bytes[1])[kind];
    EXPECT_EQ(done->info.checksum,
              (ObjectChecksum{kind, ChecksumType::kComposite, DigestsOf(of_parts)[kind], 2}));
  }
  CreateUploadRequest wrong;
  wrong.bucket = bucket_;
  wrong.key = "key";
  wrong.checksum = DigestKind::kSha256;
  EXPECT_TRUE(uploads().Create(wrong).Is(ErrorCode::kInvalidArgument));
  wrong.checksum = DigestKind::kCrc64Nvme;
  wrong.checksum_type = ChecksumType::kComposite;
  EXPECT_TRUE(uploads().Create(wrong).Is(ErrorCode::kInvalidArgument));
}

TEST_F(CompleteTest, APutAndAnUploadWithoutAChecksumGetCrc64Nvme) {
  const std::string bytes = Pattern(100, 4);
  const ObjectChecksum expected{.kind = DigestKind::kCrc64Nvme,
                                .value = DigestsOf(bytes)[DigestKind::kCrc64Nvme]};
  ASSERT_TRUE(Put("put", bytes).ok());
  EXPECT_EQ(Head("put")->checksum, expected);
  PutParts("upload", {bytes});
  EXPECT_EQ(Head("upload")->checksum, expected);
  WriteFile(root_, "put", "changed");
  EXPECT_FALSE(Head("put")->checksum);
  EXPECT_EQ(Head("put")->parts, 0u);
}

}  // namespace
}  // namespace amphora::fs
