// Failpoints: how their actions are written, and what each does when it is visited.

#include "meta/base/failpoint.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cerrno>

#include "meta/base/clock.h"

namespace amphora {
namespace {

class FailpointTest : public ::testing::Test {
 protected:
  void TearDown() override { DisarmAllFailpoints(); }
};

TEST_F(FailpointTest, UnarmedOneDoesNothing) {
  EXPECT_TRUE(Failpoint("test.point").ok());
  EXPECT_EQ(FailpointVisits("test.point"), 0u);
  ASSERT_TRUE(ArmFailpoint("test.other", "fail"));
  EXPECT_TRUE(Failpoint("test.point").ok());
}

TEST_F(FailpointTest, FailAnswersIoOrTheErrnoAskedFor) {
  ASSERT_TRUE(ArmFailpoint("test.point", "fail"));
  const Status failed = Failpoint("test.point");
  EXPECT_TRUE(failed.Is(ErrorCode::kIo));
  EXPECT_EQ(failed.error().system_errno(), EIO);
  ASSERT_TRUE(ArmFailpoint("test.point", "fail(28)"));
  EXPECT_TRUE(Failpoint("test.point").Is(ErrorCode::kNoSpace));
}

TEST_F(FailpointTest, CountedActionActsOnTheFirstVisitsOnly) {
  ASSERT_TRUE(ArmFailpoint("test.point", "2*fail"));
  EXPECT_FALSE(Failpoint("test.point").ok());
  EXPECT_FALSE(Failpoint("test.point").ok());
  EXPECT_TRUE(Failpoint("test.point").ok());
  EXPECT_EQ(FailpointVisits("test.point"), 3u);
}

TEST_F(FailpointTest, ActionAtAVisitActsOnThatOneOnly) {
  ASSERT_TRUE(ArmFailpoint("test.point", "fail@3"));
  EXPECT_TRUE(Failpoint("test.point").ok());
  EXPECT_TRUE(Failpoint("test.point").ok());
  EXPECT_FALSE(Failpoint("test.point").ok());
  EXPECT_TRUE(Failpoint("test.point").ok());
}

TEST_F(FailpointTest, SleepDelaysAtLeastSoLong) {
  ASSERT_TRUE(ArmFailpoint("test.point", "1*sleep(20)"));
  const std::int64_t start = MonotonicNow();
  EXPECT_TRUE(Failpoint("test.point").ok());
  EXPECT_GE(MonotonicNow() - start, 20'000'000);
}

TEST_F(FailpointTest, ExitEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        ArmFailpoint("test.point", "exit@2");
        (void)Failpoint("test.point");
        (void)Failpoint("test.point");
        _exit(1);
      },
      ::testing::ExitedWithCode(137), "");
}

TEST_F(FailpointTest, ArmingAgainStartsTheCountAgainAndDisarmingEndsAll) {
  ASSERT_TRUE(ArmFailpoint("test.point", "1*fail"));
  EXPECT_FALSE(Failpoint("test.point").ok());
  ASSERT_TRUE(ArmFailpoint("test.point", "1*fail"));
  EXPECT_FALSE(Failpoint("test.point").ok());
  ASSERT_TRUE(ArmFailpoint("test.point", "fail"));
  DisarmAllFailpoints();
  EXPECT_TRUE(Failpoint("test.point").ok());
}

TEST_F(FailpointTest, SkipIsSeenWhereAStepCanBeLeftOutAndNowhereElse) {
  ASSERT_TRUE(ArmFailpoint("test.point", "2*skip"));
  EXPECT_FALSE(FailpointSkips("test.other"));
  EXPECT_TRUE(Failpoint("test.point").ok());
  EXPECT_TRUE(FailpointSkips("test.point"));
  EXPECT_TRUE(FailpointSkips("test.point"));
  EXPECT_FALSE(FailpointSkips("test.point"));
  EXPECT_EQ(FailpointVisits("test.point"), 3u);
  ASSERT_TRUE(ArmFailpoint("test.point", "fail"));
  EXPECT_FALSE(FailpointSkips("test.point"));
  EXPECT_FALSE(Failpoint("test.point").ok());
  EXPECT_EQ(FailpointVisits("test.point"), 1u);
}

TEST_F(FailpointTest, WhatCannotBeParsedIsRefusedAndChangesNothing) {
  ASSERT_TRUE(ArmFailpoint("test.point", "fail"));
  for (const char* action :
       {"", "explode", "fail(", "fail()", "fail(x)", "fail(-1)", "fail(5", "*fail", "x*fail", "2*",
        "fail@", "fail@x", "sleep(600001)", "fail(4096)", "99999999999999999999*fail", "fail "}) {
    EXPECT_FALSE(ArmFailpoint("test.point", action)) << action;
  }
  EXPECT_FALSE(ArmFailpoint("", "fail"));
  EXPECT_FALSE(Failpoint("test.point").ok());
}

TEST_F(FailpointTest, EnvironmentArmsEachItemAndTheFirstBadOneIsNamed) {
  ASSERT_EQ(setenv("AMPHORA_FAILPOINTS", "test.a=fail;test.b=oops;;test.c=2*fail;rubbish", 1), 0);
  EXPECT_EQ(ArmFailpointsFromEnvironment(), "test.b=oops");
  EXPECT_FALSE(Failpoint("test.a").ok());
  EXPECT_TRUE(Failpoint("test.b").ok());
  EXPECT_FALSE(Failpoint("test.c").ok());
  ASSERT_EQ(setenv("AMPHORA_FAILPOINTS", "test.a=off", 1), 0);
  EXPECT_EQ(ArmFailpointsFromEnvironment(), "");
  EXPECT_TRUE(Failpoint("test.a").ok());
  ASSERT_EQ(unsetenv("AMPHORA_FAILPOINTS"), 0);
  EXPECT_EQ(ArmFailpointsFromEnvironment(), "");
}

}  // namespace
}  // namespace amphora
