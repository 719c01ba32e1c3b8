// Error, Result, StrongId, Time and the counters.

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>

#include "meta/base/clock.h"
#include "meta/base/error.h"
#include "meta/base/metrics.h"
#include "meta/base/result.h"
#include "meta/base/strong_id.h"

namespace amphora {
namespace {

TEST(ErrorTest, TextNamesMeaningDetailAndErrno) {
  EXPECT_EQ(Error(ErrorCode::kNotFound).ToString(), "no such name");
  EXPECT_EQ(Error(ErrorCode::kNotFound, "parent").ToString(), "no such name (parent)");
  EXPECT_EQ(Error(ErrorCode::kIo, "blob", EIO).ToString(),
            "input or output failed (blob): Input/output error");
}

TEST(ErrorTest, ErrnoChoosesTheCodeThatCallersActOn) {
  EXPECT_EQ(Error::FromErrno(ENOSPC, "x").code(), ErrorCode::kNoSpace);
  EXPECT_EQ(Error::FromErrno(EDQUOT, "x").code(), ErrorCode::kQuotaExceeded);
  EXPECT_EQ(Error::FromErrno(EFBIG, "x").code(), ErrorCode::kFileTooLarge);
  EXPECT_EQ(Error::FromErrno(EINVAL, "x").code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Error::FromErrno(EOPNOTSUPP, "x").code(), ErrorCode::kUnsupported);
  EXPECT_EQ(Error::FromErrno(EMFILE, "x").code(), ErrorCode::kIo);
  EXPECT_EQ(Error::FromErrno(EMFILE, "x").system_errno(), EMFILE);
}

TEST(ErrorTest, EveryCodeHasANumberANameAndAMeaningOfItsOwn) {
  std::set<int> numbers;
  std::set<std::string_view> names;
  std::set<std::string_view> meanings;
  std::size_t count = 0;
#define AMPHORA_ERROR(name, number, level, meaning)     \
  ++count;                                              \
  numbers.insert(number);                               \
  names.insert(Name(ErrorCode::name));                  \
  meanings.insert(Meaning(ErrorCode::name));            \
  EXPECT_EQ(LevelOf(ErrorCode::name), LogLevel::level); \
  EXPECT_GT(number, 0);
#include "meta/base/errors.def"
#undef AMPHORA_ERROR
  EXPECT_EQ(numbers.size(), count);
  EXPECT_EQ(names.size(), count);
  EXPECT_EQ(meanings.size(), count);
  EXPECT_EQ(Name(ErrorCode::kNotFound), "NotFound");
}

TEST(ErrorTest, NumbersOfStoredAndExportedCodesNeverChange) {
  EXPECT_EQ(static_cast<int>(ErrorCode::kNotFound), 1);
  EXPECT_EQ(static_cast<int>(ErrorCode::kNoSpace), 13);
  EXPECT_EQ(static_cast<int>(ErrorCode::kConflict), 17);
  EXPECT_EQ(static_cast<int>(ErrorCode::kPoisoned), 18);
  EXPECT_EQ(static_cast<int>(ErrorCode::kTextBusy), 36);
}

Result<int> Half(int number) {
  if (number % 2 != 0) return ErrorCode::kInvalidArgument;
  return number / 2;
}
Result<int> Quarter(int number) {
  AMPHORA_ASSIGN(const int half, Half(number));
  return Half(half);
}
Status CheckHalf(int number) {
  AMPHORA_TRY(Half(number));
  return Ok();
}

TEST(ResultTest, MacrosPassTheValueOnAndTheErrorUp) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_TRUE(Quarter(6).Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(Quarter(7).Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(CheckHalf(2).ok());
  EXPECT_TRUE(CheckHalf(3).Is(ErrorCode::kInvalidArgument));
}

TEST(ResultTest, IsAsksForOneCodeOnly) {
  EXPECT_FALSE(Half(3).Is(ErrorCode::kNotFound));
  EXPECT_FALSE(Half(2).Is(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(Ok().Is(ErrorCode::kNotFound));
}

TEST(ResultTest, AssignMovesValuesThatCannotBeCopied) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  const auto take = [&]() -> Result<int> {
    AMPHORA_ASSIGN(const std::unique_ptr<int> owned, make());
    return *owned;
  };
  EXPECT_EQ(*take(), 5);
}

using TestId = StrongId<struct TestTag>;

TEST(StrongIdTest, ComparesHashesAndStartsInvalid) {
  EXPECT_FALSE(TestId().valid());
  EXPECT_TRUE(TestId(1).valid());
  EXPECT_LT(TestId(1), TestId(2));
  EXPECT_EQ(TestId(7).value(), 7u);
  std::unordered_set<TestId> ids;
  for (std::uint64_t i = 0; i < 1000; ++i) ids.insert(TestId(i));
  EXPECT_EQ(ids.size(), 1000u);
}

TEST(TimeTest, RoundTripsAlsoBefore1970) {
  for (const std::int64_t nanoseconds :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{-1'000'000'000},
        std::int64_t{-1'500'000'000}, std::int64_t{1'700'000'000'123'456'789}}) {
    const timespec converted = Time(nanoseconds).ToTimespec();
    EXPECT_GE(converted.tv_nsec, 0);
    EXPECT_LT(converted.tv_nsec, 1'000'000'000);
    EXPECT_EQ(Time::FromTimespec(converted).nanoseconds(), nanoseconds);
  }
}

TEST(TimeTest, SaturatesWhereNanosecondsEnd) {
  timespec far{};
  far.tv_sec = 1ll << 40;
  EXPECT_GT(Time::FromTimespec(far).nanoseconds(), 9'000'000'000'000'000'000);
  far.tv_sec = -(1ll << 40);
  EXPECT_LT(Time::FromTimespec(far).nanoseconds(), -9'000'000'000'000'000'000);
}

TEST(TimeTest, MonotonicClockNeverStepsBack) {
  std::int64_t last = MonotonicNow();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = MonotonicNow();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(MetricsTest, CountsAddUpAndNamesAreUniqueAndExportable) {
  const auto before = Value(Counter::kS3Requests);
  Count(Counter::kS3Requests);
  Count(Counter::kS3Requests, 4);
  EXPECT_EQ(Value(Counter::kS3Requests) - before, 5u);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
    const std::string_view name = CounterName(static_cast<Counter>(i));
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos)
        << name;
    EXPECT_FALSE(CounterHelp(static_cast<Counter>(i)).empty());
    names.insert(name);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Counter::kCount));
}

}  // namespace
}  // namespace amphora
