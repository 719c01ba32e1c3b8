// Conditions that are decided inside the transaction, and what a refusal waits for.
#include <gtest/gtest.h>

#include "tests/fs/uploads/upload_fixture.h"

namespace amphora::fs {
namespace {

class ConditionsTest : public test::UploadTest {
 protected:
  Result<DeleteOutcome> DeleteIf(std::string_view key, std::string condition) {
    return objects().Delete(caller_, bucket_, key, DeleteCondition(std::move(condition)));
  }
  bool Durable() { return engine_->admin().Figures().durable; }
};

TEST_F(ConditionsTest, ADeleteWithAnEtagTakesOnlyThatContent) {
  ASSERT_TRUE(Put("dir/key", "first").ok());
  const std::string first = Head("dir/key")->etag;
  ASSERT_TRUE(Put("dir/key", "second").ok());
  EXPECT_TRUE(DeleteIf("dir/key", first).Is(ErrorCode::kPreconditionFailed));
  EXPECT_EQ(GetObject("dir/key").value(), "second");
  const auto gone = DeleteIf("dir/key", Head("dir/key")->etag);
  ASSERT_TRUE(gone.ok());
  EXPECT_TRUE(gone->existed);
  EXPECT_FALSE(Exists("dir")) << "the implicit directory went with it";
  EXPECT_TRUE(DeleteIf("dir/key", first).Is(ErrorCode::kNotFound));
  EXPECT_TRUE(DeleteIf("dir/key", "*").Is(ErrorCode::kNotFound));
  ASSERT_TRUE(Put("dir/key", "third").ok());
  EXPECT_TRUE(DeleteIf("dir/key", "*").ok());
}

TEST_F(ConditionsTest, AConditionLooksAtWhatIsBeingWritten) {
  ASSERT_TRUE(Put("key", "put").ok());
  const std::string before = Head("key")->etag;
  auto handle = Open(Find("key")->inode, true);
  ASSERT_TRUE(handle->Write(0, Bytes("posix")).ok());
  EXPECT_TRUE(DeleteIf("key", before).Is(ErrorCode::kPreconditionFailed));
  PutOptions options;
  options.conditions.if_match = {before};
  EXPECT_TRUE(Put("key", "new", options).Is(ErrorCode::kPreconditionFailed));
  EXPECT_TRUE(DeleteIf("key", Head("key")->etag).ok());
}

TEST_F(ConditionsTest, DirectoryKeysHaveEtagsToo) {
  ASSERT_TRUE(Put("dir/", "").ok());
  EXPECT_TRUE(DeleteIf("dir/", "another").Is(ErrorCode::kPreconditionFailed));
  EXPECT_TRUE(DeleteIf("dir/", Head("dir/")->etag).ok());
  ASSERT_TRUE(Put("content/", "abc").ok());
  EXPECT_TRUE(DeleteIf("content/", "another").Is(ErrorCode::kPreconditionFailed));
  EXPECT_TRUE(DeleteIf("content/", Head("content/")->etag).ok());
  EXPECT_FALSE(Head("content/").ok());
}

TEST_F(ConditionsTest, OfManyDeletesOnlyThoseWhoseConditionHoldsHappen) {
  for (const char* key : {"a", "b", "c/d"}) ASSERT_TRUE(Put(key, key).ok());
  std::vector<DeleteManyItem> items(5);
  items[0] = {"a", Head("a")->etag, {}};
  items[1] = {"b", "another", {}};
  items[2] = {"missing", "*", {}};
  items[3] = {"missing", {}, {}};
  items[4] = {"c/d", {}, {}};
  ASSERT_TRUE(objects().DeleteMany(caller_, bucket_, items).ok());
  EXPECT_FALSE(items[0].error);
  EXPECT_EQ(items[1].error, Error(ErrorCode::kPreconditionFailed));
  EXPECT_EQ(items[2].error, Error(ErrorCode::kNotFound));
  EXPECT_FALSE(items[3].error);
  EXPECT_FALSE(items[4].error);
  EXPECT_EQ(Keys(), (std::vector<std::string>{"b"}));
}

// Hazards 5.9: who is told of another's change may rely on it.
TEST_F(ConditionsTest, ARefusalWaitsForTheCommitItRestsOn) {
  const auto refused = [&](const std::function<ErrorCode()>& ask) {
    ASSERT_TRUE(Put("key", "by another").ok());
    ASSERT_FALSE(Durable()) << "nobody asked for it yet";
    EXPECT_EQ(ask(), ErrorCode::kPreconditionFailed);
    EXPECT_TRUE(Durable());
  };
  PutOptions only_new;
  only_new.conditions.if_none_match = {"*"};
  refused([&] { return Put("key", "x", only_new).error().code(); });
  refused([&] { return DeleteIf("key", "another").error().code(); });
  refused([&] {
    auto request = CopyOf("key", "to");
    request.source_conditions.if_match = {"another"};
    return objects().Copy(request).error().code();
  });
  refused([&] {
    CompleteRequest request;
    request.upload = Begin("key");
    request.parts = {Part(request.upload, 1, "abc").value()};
    request.conditions = only_new.conditions;
    return uploads().Complete(request).error().code();
  });
}

TEST_F(ConditionsTest, ThatAnUploadIsGoneWaitsForItsEnd) {
  const auto upload = Begin("key");
  auto late = BeginPart(upload, 1, 3);
  ASSERT_TRUE((*late)->Append(Bytes("abc")).ok());
  ASSERT_TRUE(engine_->WaitDurable(engine_->NewestTicket()).ok());
  ASSERT_TRUE(uploads().Abort(upload).ok());
  ASSERT_FALSE(Durable());
  EXPECT_TRUE(uploads().Abort(upload).Is(ErrorCode::kNoSuchUpload));
  EXPECT_TRUE(Durable());
  EXPECT_TRUE(BeginPart(upload, 2, 1).Is(ErrorCode::kNoSuchUpload));
  EXPECT_TRUE((*late)->Commit({}).Is(ErrorCode::kNoSuchUpload));
}

TEST_F(ConditionsTest, NotFoundOfAConditionWaitsToo) {
  ASSERT_TRUE(Put("key", "x").ok());
  ASSERT_TRUE(engine_->WaitDurable(engine_->NewestTicket()).ok());
  EXPECT_TRUE(Delete("key"));
  ASSERT_FALSE(Durable());
  EXPECT_TRUE(DeleteIf("key", "*").Is(ErrorCode::kNotFound));
  EXPECT_TRUE(Durable());
}

}  // namespace
}  // namespace amphora::fs
