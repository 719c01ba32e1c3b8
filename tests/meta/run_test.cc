// Transact: when it runs the closure again, when not, and what it leaves.

#include "tests/meta/store_fixture.h"

namespace amphora::meta {
namespace {

template <typename T>
class TransactTest : public StoreTest<T> {};
TYPED_TEST_SUITE(TransactTest, Implementations);

TYPED_TEST(TransactTest, AnswersTheClosuresValueAndATicketThatCoversIt) {
  const auto done = Transact(this->store(), [](Transaction& transaction) -> Result<int> {
    AMPHORA_TRY(transaction.Put(Table::kRows, "a", "1"));
    return 42;
  });
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->value, 42);
  EXPECT_EQ(done->ticket, this->store().LastTicket());
}

TYPED_TEST(TransactTest, ErrorOfTheClosureEndsItAndWritesNothing) {
  int runs = 0;
  const auto done = Transact(this->store(), [&](Transaction& transaction) -> Status {
    ++runs;
    AMPHORA_TRY(transaction.Put(Table::kRows, "a", "1"));
    return Error(ErrorCode::kNotEmpty);
  });
  EXPECT_TRUE(done.Is(ErrorCode::kNotEmpty));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(this->Value("a"), "(none)");
}

TYPED_TEST(TransactTest, ConflictRunsItAgainAndOnlyTheLastRunCounts) {
  int runs = 0;
  const auto conflicts = Value(Counter::kStoreConflicts);
  const auto done = Transact(this->store(), [&](Transaction& transaction) -> Status {
    ++runs;
    AMPHORA_TRY(transaction.Put(Table::kRows, "run" + std::to_string(runs), "x"));
    if (runs < 4) return Error(ErrorCode::kConflict);
    return Ok();
  });
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(this->Text(this->newest().Scan(Table::kRows, {}, {})), "run4=x");
  EXPECT_EQ(Value(Counter::kStoreConflicts) - conflicts, 3u);
}

TYPED_TEST(TransactTest, EndlessConflictEndsAfterABoundedNumberOfRuns) {
  int runs = 0;
  const auto done = Transact(this->store(), [&](Transaction&) -> Status {
    ++runs;
    return Error(ErrorCode::kConflict);
  });
  EXPECT_TRUE(done.Is(ErrorCode::kConflict));
  EXPECT_EQ(runs, kMaxAttempts);
}

}  // namespace
}  // namespace amphora::meta
