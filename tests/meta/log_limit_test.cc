// The limit of log lines that an outside party can cause, on a clock of the test's own.

#include "meta/base/log_limit.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace amphora {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

class LogLimitTest : public ::testing::Test {
 protected:
  // How many of `lines` attempts at this moment are written.
  int Written(std::string_view kind, int lines) {
    int written = 0;
    for (int i = 0; i < lines; ++i) written += limit_.Admit(kind).has_value() ? 1 : 0;
    return written;
  }

  std::int64_t now_ = 5 * kSecond;
  LogLimit limit_{[this] { return now_; }};
};

TEST_F(LogLimitTest, ABurstIsWrittenAndThenOneASecond) {
  EXPECT_EQ(Written("refused", 1000), LogLimit::kBurst);
  now_ += kSecond - 1;
  EXPECT_EQ(Written("refused", 1000), 0);
  now_ += 1;
  EXPECT_EQ(Written("refused", 1000), 1);
  now_ += 3 * kSecond;
  EXPECT_EQ(Written("refused", 1000), 3);
}

TEST_F(LogLimitTest, AFloodOfADayWritesABurstAndALineASecond) {
  int written = 0;
  for (int second = 0; second < 86'400; ++second, now_ += kSecond) written += Written("refused", 5);
  EXPECT_EQ(written, LogLimit::kBurst + 86'400 - 1);
}

TEST_F(LogLimitTest, TheNextLineThatIsWrittenCountsThoseThatWereLeftOut) {
  for (int i = 0; i < LogLimit::kBurst; ++i) EXPECT_EQ(limit_.Admit("refused"), 0u);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(limit_.Admit("refused"), std::nullopt);
  now_ += kSecond;
  EXPECT_EQ(limit_.Admit("refused"), 7u);
  now_ += kSecond;
  EXPECT_EQ(limit_.Admit("refused"), 0u);
}

TEST_F(LogLimitTest, QuietGivesTheBurstBackAndNoMore) {
  EXPECT_EQ(Written("refused", 100), LogLimit::kBurst);
  now_ += 3600 * kSecond;
  EXPECT_EQ(Written("refused", 100), LogLimit::kBurst);
}

TEST_F(LogLimitTest, OneKindDoesNotSilenceAnother) {
  EXPECT_EQ(Written("refused", 100), LogLimit::kBurst);
  EXPECT_EQ(Written("failed", 1), 1);
  EXPECT_EQ(Written("refused", 1), 0);
}

TEST_F(LogLimitTest, KindsWithoutEndShareOneAllowance) {
  for (std::size_t i = 0; i < LogLimit::kMostKinds; ++i) {
    EXPECT_EQ(Written("kind " + std::to_string(i), 1), 1);
  }
  int written = 0;
  for (int i = 0; i < 10'000; ++i) written += Written("more " + std::to_string(i), 1);
  EXPECT_EQ(written, LogLimit::kBurst);
}

TEST_F(LogLimitTest, ManyThreadsAtOnceLoseNoCount) {
  constexpr int kThreads = 4;
  constexpr int kLines = 5000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] { Written("refused", kLines); });
  }
  for (std::thread& thread : threads) thread.join();
  now_ += kSecond;
  EXPECT_EQ(limit_.Admit("refused"), kThreads * kLines - LogLimit::kBurst);
}

TEST(LogLimitedTest, AFloodLeavesABurstInTheFileAndNoLineIsLongerThanAPage) {
  std::string directory =
      (std::filesystem::temp_directory_path() / "amphora-meta-test.XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string file = directory + "/log";
  SetUpLog({LogLevel::kInfo, file});
  for (int i = 0; i < 1000; ++i) LogLimited(LogLevel::kDebug, "a flood", "not enabled");
  for (int i = 0; i < 1000; ++i) LogLimited(LogLevel::kInfo, "a flood", std::string(100'000, 'x'));
  SetUpLog({});
  const auto size = std::filesystem::file_size(file);
  EXPECT_GE(size, LogLimit::kBurst * 4096u);
  // A slow machine may need some seconds for the thousand lines.
  EXPECT_LT(size, 10 * LogLimit::kBurst * 4200u);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace amphora
