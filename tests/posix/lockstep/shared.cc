#include "tests/posix/lockstep/shared.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include "tests/posix/lockstep/side.h"

namespace amphora::lockstep {

constexpr std::size_t kRaces = 8;    // names that are made and removed
constexpr std::size_t kKept = 50;    // names that stay
constexpr std::size_t kRecord = 64;  // bytes
constexpr unsigned kListEvery = 50;  // rounds

struct Counters {
  std::atomic<std::int64_t> made[kRaces];  // less removed: 0 or 1 at any quiet moment
  std::atomic<std::int64_t> records;
};

namespace {

bool Complain(const std::string& what) {
  std::printf("shared names: %s (errno %s)\n", what.c_str(), strerrorname_np(errno));
  return false;
}

// Self-describing: a checksum, then as many bytes as the checksum says.
std::string Whole(unsigned process, std::uint64_t round) {
  const std::size_t size = 100 + (round * 977 + process * 131) % 100'000;
  std::string body(size, static_cast<char>('a' + (process + round) % 26));
  char head[40];
  std::snprintf(head, sizeof head, "%020lu %010zu ", Checksum(body), size);
  return head + body;
}

bool IsWhole(const std::string& content) {
  if (content.size() < 32) return false;
  const std::string body = content.substr(32);
  char head[40];
  std::snprintf(head, sizeof head, "%020lu %010zu ", Checksum(body), body.size());
  return content.compare(0, 32, head) == 0;
}

}  // namespace

Shared::Shared(const std::string& mount, unsigned processes)
    : folder_(mount + "/shared"), processes_(processes) {
  void* memory =
      mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mkdir(folder_.c_str(), 0777) != 0) {
    std::perror("lockstep: shared names");
    std::exit(2);
  }
  counters_ = new (memory) Counters();
  for (std::size_t i = 0; i < kKept; ++i) {
    close(open((folder_ + "/kept" + std::to_string(i)).c_str(), O_CREAT | O_WRONLY, 0644));
  }
}

Shared::~Shared() { munmap(counters_, sizeof(Counters)); }

bool Shared::Race(unsigned process, std::uint64_t round) {
  const std::size_t race = (round * 7 + process) % kRaces;
  const std::string name = folder_ + "/race" + std::to_string(race);
  const bool directory = race % 3 == 0;
  const std::string own = folder_ + "/own" + std::to_string(process);
  int made = -1;
  if (directory) {
    made = mkdir(name.c_str(), 0755);
  } else if (race % 3 == 1) {
    made = open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (made >= 0) close(made);
  } else {
    close(open(own.c_str(), O_CREAT | O_WRONLY, 0644));
    made = link(own.c_str(), name.c_str());
    if (unlink(own.c_str()) != 0) return Complain("unlink of a name of one's own");
  }
  if (made >= 0) {
    if (++counters_->made[race] > 1) return Complain("two made " + name);
  } else if (errno != EEXIST) {
    return Complain("making " + name);
  }
  // Counted down before: another may make it right after the removal.
  if (round % 2 == 0) return true;
  std::int64_t one = 1;
  if (!counters_->made[race].compare_exchange_strong(one, 0)) return true;
  const int gone = directory ? rmdir(name.c_str()) : unlink(name.c_str());
  return gone == 0 || Complain("who counted it down could not remove " + name);
}

bool Shared::Replace(unsigned process, std::uint64_t round) {
  const std::string name = folder_ + "/whole" + std::to_string(round % 4);
  const std::string fresh = folder_ + "/new" + std::to_string(process);
  const std::string content = Whole(process, round);
  int file = open(fresh.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  const ssize_t written = write(file, content.data(), content.size());
  close(file);
  if (written != static_cast<ssize_t>(content.size())) return Complain("writing " + fresh);
  if (rename(fresh.c_str(), name.c_str()) != 0) return Complain("rename over " + name);
  file = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Complain("a name was not there during a rename over it: " + name);
  const std::string seen = ReadAll(file, 1 << 20);
  close(file);
  return IsWhole(seen) || Complain("not whole: " + name + ", " + std::to_string(seen.size()));
}

bool Shared::Append(unsigned process, std::uint64_t round) {
  char record[kRecord + 1];
  std::snprintf(record, sizeof record, "%010u %020lu %.*s\n", process, round,
                static_cast<int>(kRecord) - 33, std::string(64, 'r').c_str());
  const int file =
      open((folder_ + "/log").c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0644);
  const ssize_t written = write(file, record, kRecord);
  close(file);
  if (written != static_cast<ssize_t>(kRecord)) return Complain("append");
  ++counters_->records;
  return true;
}

bool Shared::List() {
  DIR* directory = opendir(folder_.c_str());
  if (directory == nullptr) return Complain("opendir");
  std::multiset<std::string> kept;
  while (const dirent* entry = readdir(directory)) {
    if (std::string_view(entry->d_name).starts_with("kept")) kept.insert(entry->d_name);
  }
  closedir(directory);
  for (std::size_t i = 0; i < kKept; ++i) {
    const std::string name = "kept" + std::to_string(i);
    if (kept.count(name) != 1) {
      return Complain(name + " listed " + std::to_string(kept.count(name)) + " times");
    }
  }
  return true;
}

int Shared::Work(unsigned process, std::uint64_t rounds) {
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const bool right = Race(process, round) && Replace(process, round) && Append(process, round) &&
                       (round % kListEvery != 0 || List());
    if (!right) return 1;
  }
  return 0;
}

int Shared::Check() {
  const int file = open((folder_ + "/log").c_str(), O_RDONLY | O_CLOEXEC);
  const std::string log = ReadAll(file, 1u << 30);
  close(file);
  const auto expected = static_cast<std::size_t>(counters_->records.load()) * kRecord;
  if (log.size() != expected) {
    return Complain("log of " + std::to_string(log.size()) + " instead of " +
                    std::to_string(expected))
               ? 0
               : 1;
  }
  for (std::size_t at = 0; at < log.size(); at += kRecord) {
    if (log[at + kRecord - 1] != '\n' || log[at + kRecord - 2] != 'r') {
      return Complain("a torn record at " + std::to_string(at)) ? 0 : 1;
    }
  }
  return List() ? 0 : 1;
}

}  // namespace amphora::lockstep
