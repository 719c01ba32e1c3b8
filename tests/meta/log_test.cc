// The log: one event is one line, whatever it contains, and the file can change while threads log.

#include "meta/base/log.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace amphora {
namespace {

using namespace std::string_view_literals;

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = (std::filesystem::temp_directory_path() / "amphora-meta-test.XXXXXX").string();
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
  }
  void TearDown() override {
    SetUpLog({});
    std::filesystem::remove_all(directory_);
  }
  std::string File(const std::string& name) const { return directory_ + "/" + name; }
  static std::vector<std::string> Lines(const std::string& file) {
    std::ifstream stream(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  std::string directory_;
};

TEST_F(LogTest, LineCarriesTimeLevelAndText) {
  SetUpLog({LogLevel::kInfo, File("log")});
  Log(LogLevel::kWarning, "event=test");
  const auto lines = Lines(File("log"));
  ASSERT_EQ(lines.size(), 1u);
  // 2026-01-02T03:04:05.123456Z warning event=test
  EXPECT_EQ(lines[0].find("T"), 10u) << lines[0];
  EXPECT_EQ(lines[0].substr(26), "Z warning event=test") << lines[0];
}

TEST_F(LogTest, ControlCharactersAreEscapedSoThatOneEventStaysOneLine) {
  SetUpLog({LogLevel::kInfo, File("log")});
  Log(LogLevel::kInfo, "a\nb\r\tc\x1b[31m\x7f\0d\xc2\x9bm \xc3\xa4"sv);
  const auto lines = Lines(File("log"));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("a\\x0ab\\x0d\\x09c\\x1b[31m\\x7f\\x00d\\xc2\\x9bm \xc3\xa4"),
            std::string::npos)
      << lines[0];
}

TEST_F(LogTest, LevelBelowTheThresholdIsNotWritten) {
  SetUpLog({LogLevel::kWarning, File("log")});
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kError));
  Log(LogLevel::kInfo, "quiet");
  Log(LogLevel::kError, "loud");
  const auto lines = Lines(File("log"));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("loud"), std::string::npos);
}

TEST_F(LogTest, FieldsAreQuotedWhereTheyNeedIt) {
  std::string line;
  AppendField(line, "event", "test");
  AppendField(line, "count", 7u);
  AppendField(line, "empty", "");
  AppendField(line, "key", "a b");
  AppendField(line, "quoted", "x\"y\\z");
  AppendField(line, "pair", "a=b");
  EXPECT_EQ(line, "event=test count=7 empty=\"\" key=\"a b\" quoted=\"x\\\"y\\\\z\" pair=\"a=b\"");
}

TEST_F(LogTest, BraceInALineIsNoFormat) {
  SetUpLog({LogLevel::kInfo, File("log")});
  Log(LogLevel::kInfo, "key={} {0:99} %s");
  ASSERT_EQ(Lines(File("log")).size(), 1u);
  EXPECT_NE(Lines(File("log"))[0].find("key={} {0:99} %s"), std::string::npos);
}

TEST_F(LogTest, FileThatCannotBeOpenedFallsBackToStderrAndSaysSo) {
  std::ofstream(File("file")) << "in the way";
  ::testing::internal::CaptureStderr();
  SetUpLog({LogLevel::kInfo, File("file/log")});
  Log(LogLevel::kInfo, "still here");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("file/log"), std::string::npos) << text;
  EXPECT_NE(text.find("still here"), std::string::npos) << text;
}

TEST_F(LogTest, FileCanBeChangedWhileThreadsLogAndNoLineIsLost) {
  constexpr int kThreads = 3;
  constexpr int kEach = 300;
  SetUpLog({LogLevel::kInfo, File("first")});
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) Log(LogLevel::kInfo, "line");
      running.fetch_sub(1);
    });
  }
  for (int i = 0; running.load() > 0; ++i) {
    SetUpLog({LogLevel::kInfo, File(i % 2 == 0 ? "second" : "first")});
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Lines(File("first")).size() + Lines(File("second")).size(),
            static_cast<std::size_t>(kThreads * kEach));
}

}  // namespace
}  // namespace amphora
