#include "tests/posix/lockstep/runner.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "tests/posix/lockstep/step.h"

namespace amphora::lockstep {
namespace {

constexpr std::size_t kMostContent = 1 << 20;  // of one file, after a step
constexpr std::uint64_t kTreeEvery = 500;      // steps
constexpr off_t kInlineLimit = 64 << 10;       // what the mount may store of a file without a blob

// Another user for as long as it lives: effective ids and supplementary groups.
class ActAs {
 public:
  explicit ActAs(uid_t user) : user_(user) {
    if (user_ == 0) return;
    const gid_t groups[] = {2000};
    Check(setgroups(1, groups));
    Check(setegid(user_));
    Check(seteuid(user_));
  }
  ~ActAs() {
    if (user_ == 0) return;
    Check(seteuid(0));
    Check(setegid(0));
    Check(setgroups(0, nullptr));
  }
  ActAs(const ActAs&) = delete;
  ActAs& operator=(const ActAs&) = delete;

 private:
  static void Check(int result) {
    if (result == 0) return;
    std::perror("lockstep: becoming another user");
    std::exit(2);
  }
  const uid_t user_;
};

std::string Word(const std::string& text) { return text.substr(0, text.find(' ')); }

// Not whether it is later: it may have been in the future before.
bool Moved(const timespec& before, const timespec& after) {
  return before.tv_sec != after.tv_sec || before.tv_nsec != after.tv_nsec;
}

// What is compared of one file or directory.
struct Sight {
  std::optional<struct stat> found;
  std::string content;  // checksum of a regular file's
};

class Pair {
 public:
  Pair(const Folders& folders, std::uint64_t seed, const std::string& name)
      : seed_(seed), mount_(folders.mount, name), reference_(folders.reference, name) {}

  std::optional<Difference> Do(std::uint64_t number);
  std::optional<Difference> CompareTrees(std::uint64_t number);

 private:
  static Sight LookAt(Side& side, const std::string& path, bool content);
  static Sight LookAt(Side& side, int slot, bool content);
  static std::vector<Sight> LookAt(Side& side, const Step& step, bool content);
  std::string Compare(const Step& step, const std::vector<Sight> (&before)[2]);
  static std::string CompareSights(const Sight (&before)[2], const Sight (&after)[2]);

  const std::uint64_t seed_;
  Side mount_;
  Side reference_;
};

Sight Pair::LookAt(Side& side, const std::string& path, bool content) {
  Sight sight{side.Stat(path), {}};
  if (!content || !sight.found || !S_ISREG(sight.found->st_mode)) return sight;
  const int file = openat(side.root(), path.c_str(), O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
  sight.content = std::to_string(Checksum(ReadAll(file, kMostContent)));
  close(file);
  return sight;
}

// The slot's file may have no name and may not be open for reading: by /proc.
Sight Pair::LookAt(Side& side, int slot, bool content) {
  Sight sight;
  const int descriptor = side.descriptor(static_cast<std::size_t>(slot));
  struct stat found;
  if (fstat(descriptor, &found) != 0) return sight;
  sight.found = found;
  if (!content || !S_ISREG(found.st_mode)) return sight;
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const int file = open(link.c_str(), O_RDONLY | O_NOATIME | O_CLOEXEC);
  if (file < 0) return sight;
  sight.content = std::to_string(Checksum(ReadAll(file, kMostContent)));
  close(file);
  return sight;
}

std::vector<Sight> Pair::LookAt(Side& side, const Step& step, bool content) {
  std::vector<Sight> sights;
  for (const std::string& path : step.paths) {
    sights.push_back(LookAt(side, path, content));
    const auto slash = path.rfind('/');
    sights.push_back(LookAt(side, slash == std::string::npos ? "." : path.substr(0, slash), false));
  }
  if (step.slot >= 0) sights.push_back(LookAt(side, step.slot, content));
  return sights;
}

std::string Pair::CompareSights(const Sight (&before)[2], const Sight (&after)[2]) {
  std::optional<Attributes> seen[2];
  for (int i = 0; i < 2; ++i) {
    if (after[i].found) seen[i] = ToAttributes(*after[i].found);
  }
  if (seen[0] != seen[1]) return Describe(seen[0]) + " instead of " + Describe(seen[1]);
  if (!seen[0]) return {};
  if (after[0].content != after[1].content) return "content differs";
  const struct stat& ours = *after[0].found;
  const bool sparse = after[1].found->st_blocks == 0 && ours.st_size > kInlineLimit;
  if (sparse && ours.st_blocks * 512 > kInlineLimit) return "a hole takes blocks";
  if (!before[0].found || !before[1].found) return {};
  bool modified[2], changed[2];
  for (int i = 0; i < 2; ++i) {
    // Another inode under the same name, or the same?
    if (before[i].found->st_ino != after[i].found->st_ino) return {};
    modified[i] = Moved(before[i].found->st_mtim, after[i].found->st_mtim);
    changed[i] = Moved(before[i].found->st_ctim, after[i].found->st_ctim);
  }
  if (changed[0] != changed[1]) {
    return std::string("ctime ") + (changed[0] ? "moved" : "did not move");
  }
  if (modified[0] != modified[1]) {
    return std::string("mtime ") + (modified[0] ? "moved" : "did not move");
  }
  return {};
}

std::string Pair::Compare(const Step& step, const std::vector<Sight> (&before)[2]) {
  const std::vector<Sight> after[2] = {LookAt(mount_, step, true), LookAt(reference_, step, true)};
  for (std::size_t i = 0; i < after[0].size(); ++i) {
    const std::string what =
        CompareSights({before[0][i], before[1][i]}, {after[0][i], after[1][i]});
    if (!what.empty()) return what + " (sight " + std::to_string(i) + ")";
  }
  return {};
}

std::optional<Difference> Pair::Do(std::uint64_t number) {
  const Step step = MakeStep(seed_, number);
  const std::vector<Sight> before[2] = {LookAt(mount_, step, false),
                                        LookAt(reference_, step, false)};
  Outcome outcomes[2];
  const mode_t umask_before = umask(step.umask);
  {
    const ActAs user(step.user);
    outcomes[0] = step.run(mount_);
    outcomes[1] = step.run(reference_);
  }
  umask(umask_before);
  const std::string head =
      std::to_string(number) + ": as " + std::to_string(step.user) + ": " + step.text + ": ";
  if (outcomes[0] != outcomes[1]) {
    return Difference{number, head + Describe(outcomes[0]) + " instead of " + Describe(outcomes[1]),
                      Word(step.text) + " answer"};
  }
  const std::string what = Compare(step, before);
  if (what.empty()) return std::nullopt;
  return Difference{number, head + Describe(outcomes[0]) + ": " + what,
                    Word(step.text) + " " + what.substr(0, 10)};
}

std::optional<Difference> Pair::CompareTrees(std::uint64_t number) {
  const std::vector<std::string> ours = mount_.Tree(), theirs = reference_.Tree();
  if (ours == theirs) return std::nullopt;
  std::size_t at = 0;
  while (at < ours.size() && at < theirs.size() && ours[at] == theirs[at]) ++at;
  const auto line = [at](const std::vector<std::string>& lines) {
    return at < lines.size() ? lines[at] : std::string("nothing");
  };
  return Difference{number, "tree: " + line(ours) + " instead of " + line(theirs), "tree"};
}

std::uint64_t g_runs = 0;  // for the names of fresh directories

}  // namespace

std::optional<Difference> Run(const Folders& folders, std::uint64_t seed,
                              const std::vector<std::uint64_t>& numbers) {
  const std::string name = "run-" + std::to_string(getpid()) + "-" + std::to_string(++g_runs);
  std::optional<Difference> difference;
  {
    Pair pair(folders, seed, name);
    std::uint64_t done = 0;
    for (const std::uint64_t number : numbers) {
      difference = pair.Do(number);
      if (!difference && ++done % kTreeEvery == 0) difference = pair.CompareTrees(number);
      if (difference) break;
    }
    if (!difference) difference = pair.CompareTrees(numbers.empty() ? 0 : numbers.back());
  }
  if (!difference) {
    std::filesystem::remove_all(folders.mount + "/" + name);
    std::filesystem::remove_all(folders.reference + "/" + name);
  }
  return difference;
}

std::vector<std::uint64_t> Shrink(const Folders& folders, std::uint64_t seed,
                                  const std::string& kind, std::vector<std::uint64_t> numbers) {
  for (std::size_t piece = numbers.size() / 2; piece > 0;) {
    bool shorter = false;
    for (std::size_t at = 0; at + piece <= numbers.size();) {
      std::vector<std::uint64_t> fewer = numbers;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at),
                  fewer.begin() + static_cast<std::ptrdiff_t>(at + piece));
      const auto still = Run(folders, seed, fewer);
      if (!still || still->kind != kind) {
        at += piece;
        continue;
      }
      fewer.erase(std::ranges::upper_bound(fewer, still->step), fewer.end());
      numbers = std::move(fewer);
      shorter = true;
    }
    if (!shorter || piece > numbers.size()) piece = std::min(piece / 2, numbers.size());
  }
  return numbers;
}

}  // namespace amphora::lockstep
