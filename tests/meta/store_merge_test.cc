// Merged rows: how values combine, how they are stored, and that no merge is ever lost or doubled.

#include <cstdint>
#include <limits>
#include <random>
#include <thread>

#include "tests/meta/store_fixture.h"
#include "tests/support/scale.h"

namespace amphora::meta {
namespace {

MergeValue Sum(std::int64_t amount, std::size_t field = 0) {
  MergeValue value;
  value.sums[field] = amount;
  return value;
}
MergeValue Latest(std::uint64_t stamp, std::int64_t time, std::size_t field = 0) {
  MergeValue value;
  value.latest[field] = {stamp, time};
  return value;
}
MergeValue Random(std::mt19937_64& random) {
  MergeValue value;
  for (auto& sum : value.sums) sum = static_cast<std::int64_t>(random());
  for (auto& latest : value.latest) {
    latest = {random() % 4, static_cast<std::int64_t>(random() % 3) - 1};
    if (latest.stamp == 0) latest.value = 0;
  }
  return value;
}

TEST(MergeValueTest, RoundTripKeepsEveryField) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) {
    const MergeValue value = Random(random);
    const auto decoded = DecodeMergeValue(EncodeMergeValue(value));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, value);
  }
}

TEST(MergeValueTest, GoldenBytesNeverChange) {
  MergeValue value;
  value.sums = {1, -1, 0, std::numeric_limits<std::int64_t>::min()};
  value.latest[0] = {300, -2};
  value.latest[3] = {1, 5};
  const std::string golden(
      "\x08\x02\x10\x01\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x28\xac\x02\x40\x01\x48\x03\x60"
      "\x0a",
      24);
  EXPECT_EQ(EncodeMergeValue(value), golden);
  const auto decoded = DecodeMergeValue(golden);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, value);
}

TEST(MergeValueTest, NothingMergedIsZeroBytesLong) {
  EXPECT_EQ(EncodeMergeValue(MergeValue{}), "");
  ASSERT_TRUE(DecodeMergeValue("").ok());
}

TEST(MergeValueTest, DamagedBytesAreCorruptNotMisread) {
  EXPECT_TRUE(DecodeMergeValue("\x08").Is(ErrorCode::kCorrupt));
  EXPECT_TRUE(DecodeMergeValue("\xff\xff\xff\xff").Is(ErrorCode::kCorrupt));
  EXPECT_TRUE(DecodeMergeValue(std::string_view("\0", 1)).Is(ErrorCode::kCorrupt));
}

TEST(MergeValueTest, GreatestStampWinsAndTiesGoToTheGreaterValue) {
  MergeValue value = Latest(5, 100);
  value.Add(Latest(4, 999));
  EXPECT_EQ(value.latest[0], (MergeValue::Stamped{5, 100}));
  value.Add(Latest(6, -1));
  EXPECT_EQ(value.latest[0], (MergeValue::Stamped{6, -1}));
  value.Add(Latest(6, -2));
  EXPECT_EQ(value.latest[0], (MergeValue::Stamped{6, -1}));
  value.Add(Latest(6, 3));
  EXPECT_EQ(value.latest[0], (MergeValue::Stamped{6, 3}));
  value.Add(MergeValue{});
  EXPECT_EQ(value.latest[0], (MergeValue::Stamped{6, 3}));
}

TEST(MergeValueTest, AddingCommutesAndAssociates) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 2000; ++i) {
    const MergeValue a = Random(random);
    const MergeValue b = Random(random);
    const MergeValue c = Random(random);
    MergeValue ab = a;
    ab.Add(b);
    MergeValue ba = b;
    ba.Add(a);
    EXPECT_EQ(ab, ba);
    MergeValue left = ab;
    left.Add(c);
    MergeValue right = b;
    right.Add(c);
    right.Add(a);
    EXPECT_EQ(left, right);
  }
}

TEST(MergeValueTest, OverflowWrapsInsteadOfBeingUndefined) {
  MergeValue value = Sum(std::numeric_limits<std::int64_t>::max());
  value.Add(Sum(1));
  EXPECT_EQ(value.sums[0], std::numeric_limits<std::int64_t>::min());
}

template <typename T>
class StoreMergeTest : public StoreTest<T> {
 protected:
  MergeValue Read(Reader& reader, std::string_view key) {
    const auto found = reader.Get(Table::kRows, key);
    EXPECT_TRUE(found.ok());
    if (!found.ok() || !found->has_value()) return Sum(-12345);
    const auto value = DecodeMergeValue(**found);
    EXPECT_TRUE(value.ok());
    return value.ok() ? *value : Sum(-54321);
  }
  void Merge(std::string_view key, const MergeValue& operand) {
    EXPECT_TRUE(Transact(this->store(), [&](Transaction& transaction) {
                  return transaction.Merge(Table::kRows, key, operand);
                }).ok());
  }
};
TYPED_TEST_SUITE(StoreMergeTest, Implementations);

TYPED_TEST(StoreMergeTest, FirstMergeMakesTheRowAndLaterOnesAdd) {
  EXPECT_EQ(this->Value("m"), "(none)");
  this->Merge("m", Sum(3));
  EXPECT_EQ(this->Read(this->newest(), "m"), Sum(3));
  this->Merge("m", Sum(-5));
  EXPECT_EQ(this->Read(this->newest(), "m"), Sum(-2));
}

TYPED_TEST(StoreMergeTest, TransactionReadsItsOwnMergesOverCommittedOnes) {
  this->Merge("m", Sum(10));
  const auto transaction = this->store().Begin();
  ASSERT_TRUE(transaction->Merge(Table::kRows, "m", Sum(1)).ok());
  ASSERT_TRUE(transaction->Merge(Table::kRows, "m", Sum(1)).ok());
  ASSERT_TRUE(transaction->Merge(Table::kRows, "new", Sum(4)).ok());
  EXPECT_EQ(this->Read(*transaction, "m"), Sum(12));
  EXPECT_EQ(this->Read(*transaction, "new"), Sum(4));
  const auto locked = transaction->Get(Table::kRows, "m", Lock::kShared);
  ASSERT_TRUE(locked.ok() && locked->has_value());
  EXPECT_EQ(*DecodeMergeValue(**locked), Sum(12));
  const std::vector<std::string> keys = {"m", "new"};
  const auto many = transaction->MultiGet(Table::kRows, keys);
  ASSERT_TRUE(many.ok() && (*many)[0] && (*many)[1]);
  EXPECT_EQ(*DecodeMergeValue(*(*many)[0]), Sum(12));
  EXPECT_EQ(*DecodeMergeValue(*(*many)[1]), Sum(4));
  for (const Direction direction : {Direction::kForward, Direction::kBackward}) {
    const auto rows = transaction->Scan(Table::kRows, {"m", "o"}, {10, direction});
    ASSERT_TRUE(rows.ok());
    ASSERT_EQ(rows->size(), 2u);
    const bool forward = direction == Direction::kForward;
    EXPECT_EQ(*DecodeMergeValue((*rows)[forward ? 0 : 1].value), Sum(12));
    EXPECT_EQ(*DecodeMergeValue((*rows)[forward ? 1 : 0].value), Sum(4));
  }
  EXPECT_EQ(this->Read(this->newest(), "m"), Sum(10));
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(this->Read(this->newest(), "m"), Sum(12));
}

TYPED_TEST(StoreMergeTest, EraseForgetsMergesAndANewOneStartsAtZero) {
  this->Merge("m", Sum(10));
  this->Erase("m");
  EXPECT_EQ(this->Value("m"), "(none)");
  this->Merge("m", Sum(1));
  EXPECT_EQ(this->Read(this->newest(), "m"), Sum(1));
  const auto transaction = this->store().Begin();
  ASSERT_TRUE(transaction->EraseOwned(Table::kRows, "m").ok());
  ASSERT_TRUE(transaction->Merge(Table::kRows, "m", Sum(7)).ok());
  EXPECT_EQ(this->Read(*transaction, "m"), Sum(7));
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(this->Read(this->newest(), "m"), Sum(7));
}

TYPED_TEST(StoreMergeTest, SnapshotSeesOnlyOlderMerges) {
  this->Merge("m", Sum(1));
  const auto snapshot = this->store().Snapshot();
  for (int i = 0; i < 100; ++i) this->Merge("m", Sum(1));
  EXPECT_EQ(this->Read(*snapshot, "m"), Sum(1));
  EXPECT_EQ(this->Read(this->newest(), "m"), Sum(101));
}

TYPED_TEST(StoreMergeTest, ConcurrentMergesSumExactlyAndTheLatestStampWins) {
  constexpr int kThreads = 8;
  const int each = test::Scaled(5000, 200);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        MergeValue operand = Sum(1);
        operand.sums[1] = t - 3;
        operand.latest[2] = {static_cast<std::uint64_t>(i * kThreads + t + 1), i * 10 + t};
        const auto transaction = this->store().Begin();
        ASSERT_TRUE(transaction->Merge(Table::kRows, "hot", operand).ok());
        const auto ticket = transaction->Commit();
        ASSERT_TRUE(ticket.ok()) << "a merge conflicted: " << ticket.error().ToString();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  MergeValue expected;
  expected.sums[0] = kThreads * each;
  expected.sums[1] = (0 + 1 + 2 + 3 + 4 + 5 + 6 + 7 - 3 * kThreads) * each;
  expected.latest[2] = {static_cast<std::uint64_t>(kThreads * each),
                        (each - 1) * 10 + kThreads - 1};
  EXPECT_EQ(this->Read(this->newest(), "hot"), expected);
  this->Open();
  EXPECT_EQ(this->Read(this->newest(), "hot"), expected);
}

}  // namespace
}  // namespace amphora::meta
