#include "mount/dying.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "meta/base/log.h"
#include "mount/system.h"

namespace amphora::mount {
namespace {

namespace stdfs = std::filesystem;

constexpr auto kLookAgain = std::chrono::milliseconds(20);

std::vector<stdfs::path> Children(const stdfs::path& directory) {
  std::vector<stdfs::path> children;
  std::error_code error;
  for (auto it = stdfs::directory_iterator(directory, error); !error && it != stdfs::end(it);
       it.increment(error)) {
    children.push_back(it->path());
  }
  return children;
}

// The rest of the line that begins with `key`, without blanks before it.
std::string FieldOf(const stdfs::path& file, std::string_view key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t start = line.find_first_not_of(" \t", key.size());
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

bool HasSigkill(const stdfs::path& status_file, std::string_view which) {
  const std::string text = FieldOf(status_file, which);
  std::uint64_t pending = 0;
  std::from_chars(text.data(), text.data() + text.size(), pending, 16);
  return (pending >> (SIGKILL - 1) & 1) != 0;
}

stdfs::path ProcessDirectory(pid_t process) { return "/proc/" + std::to_string(process); }

std::vector<stdfs::path> KilledThreads(const stdfs::path& process) {
  std::vector<stdfs::path> killed;
  for (const stdfs::path& thread : Children(process / "task")) {
    if (HasSigkill(thread / "status", "SigPnd:")) killed.push_back(thread);
  }
  return killed;
}

// Of the mounts that the killed threads of `process` still hold open.
std::set<unsigned> ConnectionsOf(const stdfs::path& process) {
  std::set<unsigned> connections;
  for (const stdfs::path& thread : KilledThreads(process)) {
    for (const stdfs::path& descriptor : Children(thread / "fdinfo")) {
      const std::string text = FieldOf(descriptor, "fuse_connection:");
      unsigned number = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
      if (!text.empty() && parsed.ec == std::errc()) connections.insert(number);
    }
  }
  return connections;
}

void AbortAndDetach(unsigned number) {
  AbortConnection(number);  // where it can't, MNT_FORCE below does the same
  const auto table = ReadMountTable();
  if (!table.ok()) return;
  for (const MountEntry& entry : *table) {
    if (entry.device_major != 0 || entry.device_minor != number) continue;
    const Status detached = UnmountDirectory(entry.point, Detach::kAborting);
    std::string line = "event=dead_mount_aborted";
    AppendField(line, "directory", entry.point);
    if (!detached.ok()) AppendField(line, "cause", detached.error().ToString());
    Log(detached.ok() ? LogLevel::kInfo : LogLevel::kWarning, line);
  }
}

}  // namespace

bool AbortConnection(unsigned number) {
  const std::string path = "/sys/fs/fuse/connections/" + std::to_string(number) + "/abort";
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = write(fd, "1", 1) == 1;
  close(fd);
  return written;
}

bool IsDying(pid_t process) {
  const stdfs::path directory = ProcessDirectory(process);
  if (HasSigkill(directory / "status", "ShdPnd:")) return true;
  return FieldOf(directory / "status", "State:").starts_with("Z") ||
         !KilledThreads(directory).empty();
}

bool LetDie(pid_t process, int patience_ms) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (IsDying(process)) {
    for (const unsigned number : ConnectionsOf(ProcessDirectory(process))) AbortAndDetach(number);
    // A zombie without threads waits for its parent alone, and holds nothing.
    if (Children(ProcessDirectory(process) / "task").size() <= 1 &&
        FieldOf(ProcessDirectory(process) / "status", "State:").starts_with("Z")) {
      return true;
    }
    if (std::chrono::steady_clock::now() >= limit) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
  return true;
}

Result<bool> LetServerDie(const std::string& directory, int patience_ms) {
  AMPHORA_ASSIGN(const std::vector<MountEntry> table, ReadMountTable());
  std::set<unsigned> here;
  for (const MountEntry& entry : table) {
    if (entry.point == directory && entry.type.starts_with("fuse")) here.insert(entry.device_minor);
  }
  if (here.empty()) return false;
  for (const stdfs::path& process : Children("/proc")) {
    const std::string name = process.filename().string();
    pid_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    for (const unsigned connection : ConnectionsOf(process)) {
      if (!here.contains(connection)) continue;
      if (LetDie(number, patience_ms)) return true;
      return Error(ErrorCode::kBusy, "the mount's daemon was killed but does not end");
    }
  }
  return false;
}

}  // namespace amphora::mount
