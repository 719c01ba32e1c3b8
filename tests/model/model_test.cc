// The model test: random operations of both faces, interleaved, with restarts in between, against
// the reference.
//
//   AMPHORA_MODEL_SECONDS  how long (default 180, scaled by AMPHORA_TEST_SCALE)
//   AMPHORA_MODEL_SEED     run only the sequence of this seed
//   AMPHORA_MODEL_FILE     run only the operations of this file
//
// A sequence that fails is made shorter, printed with its seed, and belongs into regressions/ once
// its cause is mended: every file there is run first.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "meta/base/clock.h"
#include "tests/model/runner.h"
#include "tests/support/scale.h"

namespace amphora::model {
namespace {

constexpr std::size_t kOperationsASequence = 300;
constexpr std::size_t kCompareEvery = 25;
constexpr std::int64_t kSecond = 1'000'000'000;

// Where it failed, and how; `differs` is empty when it didn't.
struct Verdict {
  std::size_t at = 0;
  std::string differs;
};

Verdict RunAll(const std::vector<Operation>& operations) {
  Runner runner;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    std::string differs = runner.Run(operations[i]);
    if (differs.empty() && (i + 1) % kCompareEvery == 0) differs = runner.CompareAll();
    if (!differs.empty()) return {i, differs};
  }
  return {operations.size(), runner.CompareAll()};
}

// Takes operations out as long as it still fails, in ever smaller runs.
std::vector<Operation> Shorten(std::vector<Operation> operations) {
  for (std::size_t run = std::max<std::size_t>(operations.size() / 2, 1);; run /= 2) {
    for (std::size_t begin = 0; begin + run <= operations.size();) {
      std::vector<Operation> fewer(operations.begin(), operations.begin() + begin);
      fewer.insert(fewer.end(), operations.begin() + begin + run, operations.end());
      if (RunAll(fewer).differs.empty()) {
        begin += run;
      } else {
        operations = std::move(fewer);
      }
    }
    if (run == 1) return operations;
  }
}

std::string ToText(const std::vector<Operation>& operations) {
  std::string text;
  for (const Operation& operation : operations) text += ToText(operation) + "\n";
  return text;
}

std::vector<Operation> ReadOperations(const std::filesystem::path& path) {
  std::vector<Operation> operations;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') operations.push_back(ParseOperation(line));
  }
  return operations;
}

// One random sequence; the operations that ran are answered too.
Verdict RunSeed(std::uint64_t seed, std::vector<Operation>& ran) {
  std::mt19937_64 random(seed);
  Runner runner;
  for (std::size_t i = 0; i < kOperationsASequence; ++i) {
    ran.push_back(RandomOperation(random, runner.CurrentScene()));
    std::string differs = runner.Run(ran.back());
    if (differs.empty() && (i + 1) % kCompareEvery == 0) differs = runner.CompareAll();
    if (!differs.empty()) return {i, differs};
  }
  return {kOperationsASequence, runner.CompareAll()};
}

void TrySeed(std::uint64_t seed) {
  std::vector<Operation> ran;
  const Verdict verdict = RunSeed(seed, ran);
  if (verdict.differs.empty()) return;
  ADD_FAILURE() << "seed " << seed << ", operation " << verdict.at << ": " << verdict.differs;
  const std::vector<Operation> fewer = Shorten(ran);
  std::cout << "# seed " << seed << ": " << RunAll(fewer).differs << "\n" << ToText(fewer);
}

const char* Setting(const char* name) { return std::getenv(name); }

TEST(ModelTest, EverySequenceThatOnceFailedPasses) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(AMPHORA_MODEL_REGRESSIONS)) {
    if (entry.path().extension() != ".ops") continue;
    ++files;
    const Verdict verdict = RunAll(ReadOperations(entry.path()));
    EXPECT_EQ(verdict.differs, "") << entry.path() << ", operation " << verdict.at;
  }
  EXPECT_GT(files, 0);
}

// The comparison itself: a reference that is told something else must be caught.
TEST(ModelTest, ADifferenceIsFound) {
  std::vector<Operation> operations = {{{"mkbucket", "0"}}, {{"put", "0", "a/b", "c3", "t"}}};
  EXPECT_EQ(RunAll(operations).differs, "");
  Runner runner;
  for (const Operation& operation : operations) ASSERT_EQ(runner.Run(operation), "");
  runner.CurrentScene().buckets[0]->Put("other", "x", "t");
  EXPECT_NE(runner.CompareAll(), "");
  EXPECT_NE(runner.Run({{"get", "0", "other"}}), "");
}

TEST(ModelTest, RandomSequencesOfBothFacesAgreeWithTheReference) {
  if (const char* file = Setting("AMPHORA_MODEL_FILE")) {
    const Verdict verdict = RunAll(ReadOperations(file));
    EXPECT_EQ(verdict.differs, "") << "operation " << verdict.at;
    return;
  }
  if (const char* seed = Setting("AMPHORA_MODEL_SEED")) {
    TrySeed(std::strtoull(seed, nullptr, 10));
    return;
  }
  const char* seconds = Setting("AMPHORA_MODEL_SECONDS");
  const std::int64_t end =
      MonotonicNow() + (seconds == nullptr ? test::Scaled(180, 20) : std::atoll(seconds)) * kSecond;
  std::uint64_t seed = std::random_device{}();
  std::cout << "first seed " << seed << std::endl;
  int sequences = 0;
  for (; MonotonicNow() < end && !::testing::Test::HasFailure(); ++seed, ++sequences) TrySeed(seed);
  std::cout << sequences << " sequences of " << kOperationsASequence << " operations" << std::endl;
}

}  // namespace
}  // namespace amphora::model
