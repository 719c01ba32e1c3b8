// Point reads, scans, own writes and isolation, on every implementation.

#include "tests/meta/store_fixture.h"

namespace amphora::meta {
namespace {

template <typename T>
class StoreReadWriteTest : public StoreTest<T> {};
TYPED_TEST_SUITE(StoreReadWriteTest, Implementations);

TYPED_TEST(StoreReadWriteTest, MissingRowIsNoError) { EXPECT_EQ(this->Value("nothing"), "(none)"); }

TYPED_TEST(StoreReadWriteTest, PutIsSeenAfterCommitAndGoneAfterErase) {
  this->Put("a", "1");
  EXPECT_EQ(this->Value("a"), "1");
  this->Put("a", "2");
  EXPECT_EQ(this->Value("a"), "2");
  this->Erase("a");
  EXPECT_EQ(this->Value("a"), "(none)");
}

TYPED_TEST(StoreReadWriteTest, TablesAreSeparate) {
  this->Put("k", "row");
  this->Put("k", "content", Table::kContent);
  EXPECT_EQ(this->Value(this->newest(), "k", Table::kRows), "row");
  EXPECT_EQ(this->Value(this->newest(), "k", Table::kContent), "content");
  this->Erase("k", Table::kContent);
  EXPECT_EQ(this->Value(this->newest(), "k", Table::kRows), "row");
}

TYPED_TEST(StoreReadWriteTest, KeysAndValuesAreBinaryAndMayBeEmpty) {
  const std::string key("\0\xff\0k", 4);
  const std::string value("\0\xfe\n", 3);
  this->Put(key, value);
  this->Put("empty value", "");
  EXPECT_EQ(this->Value(key), value);
  EXPECT_EQ(this->Value("empty value"), "");
}

TYPED_TEST(StoreReadWriteTest, ContentOfEverySizeUpToTheInlineLimitComesBack) {
  for (const std::size_t size : {1u, 511u, 512u, 513u, 4096u, 65535u, 65536u}) {
    const std::string value(size, static_cast<char>('a' + size % 26));
    this->Put("c" + std::to_string(size), value, Table::kContent);
  }
  this->Open();
  for (const std::size_t size : {1u, 511u, 512u, 513u, 4096u, 65535u, 65536u}) {
    EXPECT_EQ(this->Value(this->newest(), "c" + std::to_string(size), Table::kContent),
              std::string(size, static_cast<char>('a' + size % 26)));
  }
}

TYPED_TEST(StoreReadWriteTest, MultiGetAnswersEachKeyInTheOrderAsked) {
  this->Put("a", "1");
  this->Put("c", "3");
  const std::vector<std::string> keys = {"c", "b", "a", "c"};
  const auto answers = this->newest().MultiGet(Table::kRows, keys);
  ASSERT_TRUE(answers.ok());
  const std::vector<std::optional<std::string>> expected = {"3", std::nullopt, "1", "3"};
  EXPECT_EQ(*answers, expected);
  const auto none = this->newest().MultiGet(Table::kRows, {});
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
}

TYPED_TEST(StoreReadWriteTest, ScanYieldsTheRangeInByteOrder) {
  for (const char* key : {"b", "a", "\xff", "c", "B", "a/"}) this->Put(key, "v");
  const KeyRange all;
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, all, {})), "B=v a=v a/=v b=v c=v \xff=v");
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {"a", "c"}, {})), "a=v a/=v b=v");
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {"a/", ""}, {})), "a/=v b=v c=v \xff=v");
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {"c", "a"}, {})), "");
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {"b", "b"}, {})), "");
}

TYPED_TEST(StoreReadWriteTest, BackwardScanStartsBelowTheEnd) {
  for (const char* key : {"a", "b", "c", "d"}) this->Put(key, "v");
  const auto backward = [this](const KeyRange& range, std::size_t limit) {
    return this->Text(this->newest().Scan(Table::kRows, range, {limit, Direction::kBackward}));
  };
  EXPECT_EQ(backward({"", ""}, 2), "d=v c=v");
  EXPECT_EQ(backward({"a", "c"}, 10), "b=v a=v");
  EXPECT_EQ(backward({"b", "bb"}, 10), "b=v");
  EXPECT_EQ(backward({"e", ""}, 10), "");
}

TYPED_TEST(StoreReadWriteTest, ScanHonoursItsLimitAndRefusesImpossibleOnes) {
  for (int i = 0; i < 20; ++i) this->Put("k" + std::to_string(100 + i), "v");
  const auto rows = this->newest().Scan(Table::kRows, {}, {.limit = 7});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->size(), 7u);
  EXPECT_EQ(rows->back().key, "k106");
  EXPECT_TRUE(this->newest().Scan(Table::kRows, {}, {.limit = 0}).Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(
      this->newest().Scan(Table::kRows, {}, {.limit = 100'001}).Is(ErrorCode::kInvalidArgument));
}

TYPED_TEST(StoreReadWriteTest, TransactionSeesItsOwnWritesAndNobodyElseDoes) {
  this->Put("a", "1");
  this->Put("c", "3");
  const auto transaction = this->store().Begin();
  ASSERT_TRUE(transaction->Put(Table::kRows, "b", "2").ok());
  ASSERT_TRUE(transaction->Erase(Table::kRows, "c").ok());
  ASSERT_TRUE(transaction->PutFresh(Table::kRows, "d", "4").ok());
  ASSERT_TRUE(transaction->EraseOwned(Table::kRows, "a").ok());

  EXPECT_EQ(this->Value(*transaction, "b"), "2");
  EXPECT_EQ(this->Value(*transaction, "a"), "(none)");
  EXPECT_EQ(this->Text(transaction->Scan(Table::kRows, {}, {})), "b=2 d=4");
  EXPECT_EQ(this->Text(transaction->Scan(Table::kRows, {}, {10, Direction::kBackward})), "d=4 b=2");
  const std::vector<std::string> keys = {"a", "b", "c", "d"};
  const auto answers = transaction->MultiGet(Table::kRows, keys);
  ASSERT_TRUE(answers.ok());
  EXPECT_EQ(*answers,
            (std::vector<std::optional<std::string>>{std::nullopt, "2", std::nullopt, "4"}));

  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {}, {})), "a=1 c=3");
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {}, {})), "b=2 d=4");
}

// Found by the model test (seed 693080433).
TYPED_TEST(StoreReadWriteTest, BackwardScanStartsBelowAnOwnRowThatLiesAtTheEnd) {
  this->Put("a", "0");
  const auto transaction = this->store().Begin();
  for (const char* key : {"b", "c", "d"}) {
    ASSERT_TRUE(transaction->Put(Table::kRows, key, "1").ok());
  }
  const auto backward = [&](const KeyRange& range) {
    return this->Text(transaction->Scan(Table::kRows, range, {10, Direction::kBackward}));
  };
  EXPECT_EQ(backward({"b", "d"}), "c=1 b=1");
  EXPECT_EQ(backward({"", "d"}), "c=1 b=1 a=0");
  EXPECT_EQ(backward({"", "b"}), "a=0");
  EXPECT_EQ(backward({"b", "bb"}), "b=1");
}

TYPED_TEST(StoreReadWriteTest, DroppedTransactionLeavesNothingAndHoldsNothing) {
  {
    const auto transaction = this->store().Begin();
    ASSERT_TRUE(transaction->Put(Table::kRows, "a", "1").ok());
    ASSERT_TRUE(transaction->PutFresh(Table::kRows, "b", "1").ok());
  }
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {}, {})), "");
  // The next transaction may reuse the same object: nothing of the first is left in it.
  const auto next = this->store().Begin();
  EXPECT_EQ(this->Value(*next, "b"), "(none)");
  ASSERT_TRUE(next->Put(Table::kRows, "a", "2").ok());
  ASSERT_TRUE(next->Commit().ok());
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {}, {})), "a=2");
}

TYPED_TEST(StoreReadWriteTest, EndedTransactionRefusesEveryCall) {
  const auto transaction = this->store().Begin();
  ASSERT_TRUE(transaction->Put(Table::kRows, "a", "1").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_TRUE(transaction->Put(Table::kRows, "a", "2").Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(transaction->Get(Table::kRows, "a").Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(transaction->Commit().Is(ErrorCode::kInvalidArgument));
  EXPECT_EQ(this->Value("a"), "1");
}

TYPED_TEST(StoreReadWriteTest, LastWriteToAKeyInOneTransactionWins) {
  const auto transaction = this->store().Begin();
  ASSERT_TRUE(transaction->Put(Table::kRows, "a", "1").ok());
  ASSERT_TRUE(transaction->EraseOwned(Table::kRows, "a").ok());
  ASSERT_TRUE(transaction->PutFresh(Table::kRows, "a", "2").ok());
  EXPECT_EQ(this->Value(*transaction, "a"), "2");
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(this->Value("a"), "2");
}

TYPED_TEST(StoreReadWriteTest, SnapshotKeepsItsStateForEveryKindOfRead) {
  this->Put("a", "old");
  this->Put("b", "old");
  const auto snapshot = this->store().Snapshot();
  this->Put("a", "new");
  this->Erase("b");
  this->Put("c", "new");
  EXPECT_EQ(this->Value(*snapshot, "a"), "old");
  EXPECT_EQ(this->Text(snapshot->Scan(Table::kRows, {}, {})), "a=old b=old");
  const std::vector<std::string> keys = {"a", "c"};
  const auto answers = snapshot->MultiGet(Table::kRows, keys);
  ASSERT_TRUE(answers.ok());
  EXPECT_EQ(*answers, (std::vector<std::optional<std::string>>{"old", std::nullopt}));
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {}, {})), "a=new c=new");
}

TYPED_TEST(StoreReadWriteTest, BothTablesCommitTogetherOrNotAtAll) {
  {
    const auto transaction = this->store().Begin();
    ASSERT_TRUE(transaction->Put(Table::kRows, "k", "row").ok());
    ASSERT_TRUE(transaction->Put(Table::kContent, "k", "content").ok());
  }
  EXPECT_EQ(this->Value(this->newest(), "k", Table::kContent), "(none)");
  const auto transaction = this->store().Begin();
  ASSERT_TRUE(transaction->Put(Table::kRows, "k", "row").ok());
  ASSERT_TRUE(transaction->Put(Table::kContent, "k", "content").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(this->Value(this->newest(), "k", Table::kRows), "row");
  EXPECT_EQ(this->Value(this->newest(), "k", Table::kContent), "content");
}

TYPED_TEST(StoreReadWriteTest, CountersCountKeysRowsAndWritingCommits) {
  const auto before = [](Counter counter) { return amphora::Value(counter); };
  const auto gets = before(Counter::kStoreGets);
  const auto scans = before(Counter::kStoreScans);
  const auto rows = before(Counter::kStoreScanRows);
  const auto writes = before(Counter::kStoreWrites);
  const auto commits = before(Counter::kStoreCommits);

  const auto transaction = this->store().Begin();
  ASSERT_TRUE(transaction->Put(Table::kRows, "a", "1").ok());
  ASSERT_TRUE(transaction->PutFresh(Table::kRows, "b", "1").ok());
  ASSERT_TRUE(transaction->Merge(Table::kRows, "m", MergeValue{}).ok());
  ASSERT_TRUE(transaction->Commit().ok());
  const auto read_only = this->store().Begin();
  const std::vector<std::string> keys = {"a", "b", "x"};
  ASSERT_TRUE(read_only->MultiGet(Table::kRows, keys, Lock::kShared).ok());
  ASSERT_TRUE(read_only->Get(Table::kRows, "a").ok());
  ASSERT_TRUE(read_only->Scan(Table::kRows, {"a", "c"}, {}).ok());
  ASSERT_TRUE(read_only->Commit().ok());

  EXPECT_EQ(amphora::Value(Counter::kStoreGets) - gets, 4u);
  EXPECT_EQ(amphora::Value(Counter::kStoreScans) - scans, 1u);
  EXPECT_EQ(amphora::Value(Counter::kStoreScanRows) - rows, 2u);
  EXPECT_EQ(amphora::Value(Counter::kStoreWrites) - writes, 3u);
  EXPECT_EQ(amphora::Value(Counter::kStoreCommits) - commits, 1u);
}

}  // namespace
}  // namespace amphora::meta
