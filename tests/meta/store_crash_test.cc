// kill -9 of a process that writes: every commit that it acknowledged is there afterwards, whole,
// in both tables, and merges count exactly once. (Power cuts, which also drop what was not synced,
// need a file system of their own: tests/crash.)

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <random>

#include "tests/meta/store_fixture.h"

namespace amphora::meta {
namespace {

constexpr std::uint64_t kNoRow = UINT64_MAX;
constexpr const char* kWriterFlag = "--write-for-ever";

std::string KeyOf(std::uint64_t number) { return "k" + std::to_string(10'000'000 + number); }
std::string ContentOf(std::uint64_t number) {
  return std::string(600 + number % 3000, static_cast<char>('a' + number % 26));
}

Status WriteOne(Transaction& transaction, std::uint64_t number) {
  AMPHORA_TRY(transaction.PutFresh(Table::kRows, KeyOf(number), std::to_string(number)));
  AMPHORA_TRY(transaction.PutFresh(Table::kContent, KeyOf(number), ContentOf(number)));
  MergeValue one;
  one.sums[0] = 1;
  return transaction.Merge(Table::kRows, "count", one);
}

// Standard output of the writer is the pipe. Opens the store, says so, then writes and acknowledges
// each commit until it is killed. Waits for durability now and then, so that the kill also falls
// into a sync.
template <typename Implementation>
int WriteForEver(const std::string& directory, std::uint64_t first) {
  const auto say = [](std::uint64_t number) {
    return write(STDOUT_FILENO, &number, sizeof(number)) == sizeof(number);
  };
  const auto store = Implementation::Open(directory);
  if (!store.ok()) return 3;
  if (!say(kNoRow)) return 2;
  for (std::uint64_t number = first;; ++number) {
    const auto done =
        Transact(**store, [&](Transaction& transaction) { return WriteOne(transaction, number); });
    if (!done.ok()) return 4;
    if (number % 16 == 0 && !(*store)->WaitDurable(done->ticket).ok()) return 5;
    if (!say(number)) return 2;
  }
}

// Names the implementations on the writer's command line.
template <typename Implementation>
constexpr const char* kNameOf = "";
template <>
constexpr const char* kNameOf<RocksImplementation> = "rocks";
template <>
constexpr const char* kNameOf<SmallRocksImplementation> = "small-rocks";

int RunWriter(std::string_view implementation, const std::string& directory, std::uint64_t first) {
  if (implementation == kNameOf<RocksImplementation>) {
    return WriteForEver<RocksImplementation>(directory, first);
  }
  return WriteForEver<SmallRocksImplementation>(directory, first);
}

// Starts the writer; `pipe_end` becomes its standard output.
pid_t StartWriter(const char* implementation, const std::string& directory, std::uint64_t first,
                  int pipe_end) {
  std::string number = std::to_string(first);
  const pid_t child = fork();
  if (child != 0) return child;
  dup2(pipe_end, STDOUT_FILENO);
  execl("/proc/self/exe", "writer", kWriterFlag, implementation, directory.c_str(), number.c_str(),
        static_cast<char*>(nullptr));
  _exit(6);
}

// Reads acknowledgements until `count` came, kills the child, reads the rest; the last number, or
// kNoRow.
std::uint64_t KillAfter(pid_t child, int pipe_end, int count) {
  std::uint64_t last = kNoRow;
  std::uint64_t number = 0;
  for (int seen = 0; read(pipe_end, &number, sizeof(number)) == sizeof(number); ++seen) {
    last = number;
    if (seen == count) kill(child, SIGKILL);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child exited by itself: " << WEXITSTATUS(status);
  return last;
}

// How many rows there are: an unbroken run from 0, each whole.
std::uint64_t CheckRows(Store& store) {
  std::uint64_t number = 0;
  for (;; ++number) {
    const auto row = store.Newest().Get(Table::kRows, KeyOf(number));
    const auto content = store.Newest().Get(Table::kContent, KeyOf(number));
    EXPECT_TRUE(row.ok() && content.ok());
    if (!row.ok() || !content.ok()) return number;
    EXPECT_EQ(row->has_value(), content->has_value()) << "half a commit at " << number;
    if (!row->has_value() || !content->has_value()) break;
    EXPECT_EQ(**row, std::to_string(number));
    EXPECT_EQ(**content, ContentOf(number));
  }
  const auto beyond = store.Newest().Scan(Table::kRows, {KeyOf(number), "l"}, {.limit = 1});
  EXPECT_TRUE(beyond.ok() && beyond->empty()) << "a commit is missing in between";
  return number;
}

template <typename T>
class StoreCrashTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
};
TYPED_TEST_SUITE(StoreCrashTest, Implementations);

TYPED_TEST(StoreCrashTest, KillAtAnyMomentKeepsEveryAcknowledgedCommit) {
  std::mt19937 random(std::random_device{}());
  std::uint64_t next = 0;
  for (int round = 0; round < 12; ++round) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = StartWriter(kNameOf<TypeParam>, this->directory_.path(), next, ends[1]);
    ASSERT_GT(child, 0);
    close(ends[1]);
    const std::uint64_t last = KillAfter(child, ends[0], static_cast<int>(random() % 600));
    close(ends[0]);

    const auto store = TypeParam::Open(this->directory_.path());
    ASSERT_TRUE(store.ok()) << store.error().ToString();
    const std::uint64_t rows = CheckRows(**store);
    // The one after the last acknowledged may or may not be there.
    const std::uint64_t least = last == kNoRow ? next : last + 1;
    ASSERT_GE(rows, least);
    ASSERT_LE(rows, least + 1);
    next = rows;
    if (rows == 0) continue;
    const auto count = (*store)->Newest().Get(Table::kRows, "count");
    ASSERT_TRUE(count.ok() && count->has_value());
    ASSERT_EQ(DecodeMergeValue(**count)->sums[0], static_cast<std::int64_t>(rows));
  }
  EXPECT_GT(next, 0u);
}

}  // namespace

int MaybeRunWriter(int argc, char** argv) {
  if (argc != 5 || std::string_view(argv[1]) != kWriterFlag) return -1;
  return RunWriter(argv[2], argv[3], std::strtoull(argv[4], nullptr, 10));
}

}  // namespace amphora::meta

int main(int argc, char** argv) {
  const int exit_code = amphora::meta::MaybeRunWriter(argc, argv);
  if (exit_code >= 0) return exit_code;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
