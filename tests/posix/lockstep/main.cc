// Random operations in lockstep on the mount and on a reference file system (XFS).
//
//   posix_lockstep MOUNT REFERENCE --steps N [--seed S] [--only N,N,...] [--processes P]
//
// Prints the seed. On a difference prints it, a short list of steps that shows it and how to do
// them again, and exits 1. With several processes each does so in directories of its own, and all
// at once work on shared names of the mount too, where what must hold whoever comes first is
// checked (shared.h). Root only: steps are done as several users.
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <string_view>

#include "tests/posix/lockstep/runner.h"
#include "tests/posix/lockstep/shared.h"
#include "tests/posix/lockstep/step.h"

namespace amphora::lockstep {
namespace {

// Steps in one pair of fresh directories: long enough for files to grow old, short enough to
// shrink.
constexpr std::uint64_t kRound = 5000;

struct Arguments {
  Folders folders;
  std::uint64_t seed = 0;
  std::uint64_t steps = 10'000;
  unsigned processes = 1;
  std::vector<std::uint64_t> only;
};

std::uint64_t Number(std::string_view word) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) {
    std::fprintf(stderr, "lockstep: not a number: %.*s\n", static_cast<int>(word.size()),
                 word.data());
    std::exit(2);
  }
  return number;
}

Arguments Parse(int count, char** words) {
  Arguments arguments;
  arguments.seed = static_cast<std::uint64_t>(
      std::chrono::steady_clock::now().time_since_epoch().count() % 1'000'000'000);
  if (count < 3 || count % 2 == 0) {
    std::fprintf(stderr,
                 "usage: posix_lockstep MOUNT REFERENCE [--steps N] [--seed S] "
                 "[--only N,N,...] [--processes P]\n");
    std::exit(2);
  }
  arguments.folders = {words[1], words[2]};
  for (int i = 3; i + 1 < count; i += 2) {
    const std::string_view name = words[i], value = words[i + 1];
    if (name == "--steps") arguments.steps = Number(value);
    if (name == "--seed") arguments.seed = Number(value);
    if (name == "--processes") arguments.processes = static_cast<unsigned>(Number(value));
    if (name != "--only") continue;
    for (std::size_t at = 0; at < value.size();) {
      const std::size_t comma = std::min(value.find(',', at), value.size());
      arguments.only.push_back(Number(value.substr(at, comma - at)));
      at = comma + 1;
    }
  }
  return arguments;
}

int Report(const Arguments& arguments, std::uint64_t seed,
           const std::vector<std::uint64_t>& numbers, const Difference& found) {
  std::printf("difference at step %s\n", found.text.c_str());
  std::fflush(stdout);
  std::vector<std::uint64_t> upto;
  for (const std::uint64_t number : numbers) {
    upto.push_back(number);
    if (number == found.step) break;
  }
  std::string list;
  for (const std::uint64_t number : Shrink(arguments.folders, seed, found.kind, upto)) {
    const Step step = MakeStep(seed, number);
    std::printf("  %lu: as %u umask %o: %s\n", number, step.user, step.umask, step.text.c_str());
    list += (list.empty() ? "" : ",") + std::to_string(number);
  }
  std::printf("again: --seed %lu --only %s\n", seed, list.c_str());
  return 1;
}

int Alone(const Arguments& arguments, std::uint64_t seed) {
  if (!arguments.only.empty()) {
    const auto found = Run(arguments.folders, seed, arguments.only);
    if (found) std::printf("difference at step %s\n", found->text.c_str());
    return found ? 1 : 0;
  }
  for (std::uint64_t done = 0; done < arguments.steps; done += kRound) {
    std::vector<std::uint64_t> numbers(std::min(kRound, arguments.steps - done));
    std::iota(numbers.begin(), numbers.end(), done);
    if (const auto found = Run(arguments.folders, seed, numbers)) {
      return Report(arguments, seed, numbers, *found);
    }
  }
  return 0;
}

int Together(const Arguments& arguments) {
  Shared shared(arguments.folders.mount, arguments.processes);
  std::vector<pid_t> children;
  for (unsigned i = 0; i < arguments.processes; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      Arguments mine = arguments;
      mine.steps = arguments.steps / arguments.processes;
      int failed = 0;
      for (std::uint64_t done = 0; done < mine.steps && failed == 0; done += kRound) {
        Arguments round = mine;
        round.steps = std::min(kRound, mine.steps - done);
        failed = Alone(round, arguments.seed + i * 1'000'000 + done);
        if (failed == 0) failed = shared.Work(i, round.steps);
      }
      std::fflush(stdout);
      _exit(failed);
    }
    children.push_back(child);
  }
  int failed = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) failed = 1;
  }
  return failed != 0 ? 1 : shared.Check();
}

}  // namespace
}  // namespace amphora::lockstep

int main(int count, char** words) {
  using namespace amphora::lockstep;
  const Arguments arguments = Parse(count, words);
  std::printf("seed %lu, %lu steps, %u processes\n", arguments.seed, arguments.steps,
              arguments.processes);
  std::fflush(stdout);
  return arguments.processes > 1 ? Together(arguments) : Alone(arguments, arguments.seed);
}
