#include "mount/system.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "meta/base/log.h"
#include "mount/dying.h"
#include "mount/session.h"

namespace amphora::mount {
namespace {

constexpr const char* kUringSwitch = "/sys/module/fuse/parameters/enable_uring";
constexpr int kDyingPatienceMs = 10'000;
constexpr const char* kPagesLimit = "/proc/sys/fs/fuse/max_pages_limit";

// mountinfo(5) writes blanks, tabs, newlines and backslashes of a path as \ and three octal digits.
std::string Unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr ==
            text.data() + i + 4) {
      out.push_back(static_cast<char>(code));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string ReadWord(const char* path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

bool WriteText(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return written;
}

// The helper that lets ordinary users unmount their own mounts: fusermount3(1).
Status RunFusermount(const std::string& directory, Detach how) {
  std::string program = "fusermount3";
  std::string flags = how == Detach::kIfIdle ? "-uq" : "-uzq";
  std::string dashes = "--";
  std::string target = directory;
  char* const arguments[] = {program.data(), flags.data(), dashes.data(), target.data(), nullptr};
  pid_t child = 0;
  if (const int error =
          posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments, environ)) {
    return Error(ErrorCode::kNotPermitted, "fusermount3 can't be run", error);
  }
  int outcome = 0;
  while (waitpid(child, &outcome, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0) return Ok();
  return Error(ErrorCode::kBusy, "fusermount3 could not unmount");
}

}  // namespace

Result<std::vector<MountEntry>> ReadMountTable() {
  std::ifstream table("/proc/self/mountinfo");
  if (!table) return Error(ErrorCode::kIo, "/proc/self/mountinfo can't be read");
  std::vector<MountEntry> mounts;
  std::string line;
  while (std::getline(table, line)) {
    // "42 27 0:39 / /mnt rw,relatime shared:1 - fuse.amphora amphora:/ rw"
    std::istringstream fields(line);
    std::string id, parent, device, root, point, word;
    if (!(fields >> id >> parent >> device >> root >> point)) continue;
    MountEntry entry;
    entry.point = Unescape(point);
    const std::size_t colon = device.find(':');
    if (colon == std::string::npos) continue;
    const char* const end = device.data() + device.size();
    std::from_chars(device.data(), device.data() + colon, entry.device_major);
    std::from_chars(device.data() + colon + 1, end, entry.device_minor);
    while (fields >> word && word != "-") {
    }
    fields >> entry.type;
    mounts.push_back(std::move(entry));
  }
  return mounts;
}

Result<bool> IsMountPoint(const std::string& directory) {
  AMPHORA_ASSIGN(const std::vector<MountEntry> mounts, ReadMountTable());
  return std::ranges::any_of(mounts,
                             [&](const MountEntry& entry) { return entry.point == directory; });
}

Status UnmountDirectory(const std::string& directory, Detach how) {
  int flags = UMOUNT_NOFOLLOW;
  if (how != Detach::kIfIdle) flags |= MNT_DETACH;
  if (how == Detach::kAborting) flags |= MNT_FORCE;
  if (umount2(directory.c_str(), flags) == 0) return Ok();
  switch (errno) {
    case EPERM: {
      const Status done = RunFusermount(directory, how);
      if (done.ok()) return done;
      // Its exit code does not tell "not mounted" from "busy".
      AMPHORA_ASSIGN(const bool mounted, IsMountPoint(directory));
      return mounted ? done : Status(Error(ErrorCode::kNotFound, "nothing is mounted there"));
    }
    case EBUSY:
      return Error(ErrorCode::kBusy, "files are open in the mount");
    case EINVAL:
    case ENOENT:
      return Error(ErrorCode::kNotFound, "nothing is mounted there");
    default:
      return Error::FromErrno(errno, "unmounting");
  }
}

UringSetting EnableUring() {
  const std::string value = ReadWord(kUringSwitch);
  if (value == "Y") return {.enabled = true, .note = {}};
  if (value.empty()) return {.enabled = false, .note = "this kernel has no FUSE over io_uring"};
  if (geteuid() == 0 && WriteText(kUringSwitch, "Y") && ReadWord(kUringSwitch) == "Y") {
    Log(LogLevel::kInfo, std::string("turned on ") + kUringSwitch);
    return {.enabled = true, .note = std::string("turned on ") + kUringSwitch};
  }
  return {.enabled = false, .note = std::string(kUringSwitch) + " is N"};
}

bool MayAllowOther() {
  if (geteuid() == 0) return true;
  std::ifstream file("/etc/fuse.conf");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word, more;
    if (words >> word && word == "user_allow_other" && !(words >> more)) return true;
  }
  return false;
}

void RaiseRequestLimit(unsigned bytes) {
  const unsigned pages = bytes / static_cast<unsigned>(sysconf(_SC_PAGESIZE));
  const std::string value = ReadWord(kPagesLimit);
  unsigned current = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), current);
  if (parsed.ec != std::errc() || current >= pages || geteuid() != 0) return;
  if (WriteText(kPagesLimit, std::to_string(pages))) {
    Log(LogLevel::kInfo, std::string("raised ") + kPagesLimit + " to " + std::to_string(pages));
  }
}

Result<bool> DetachDeadMount(const std::string& directory) {
  constexpr int kMostLayers = 16;  // daemons may have died on top of each other
  AMPHORA_ASSIGN(bool detached, LetServerDie(directory, kDyingPatienceMs));
  for (int layer = 0; layer < kMostLayers; ++layer) {
    // statfs always asks the daemon; stat may be answered from the kernel's cache. ECONNABORTED is
    // what a request gets that was under way when the daemon went, ECANCELED one that was put into
    // its ring while that was taken down.
    struct statfs ignored;
    if (statfs(directory.c_str(), &ignored) == 0) return detached;
    if (errno != ENOTCONN && errno != ECONNABORTED && errno != ECANCELED) return detached;
    AMPHORA_TRY(UnmountDirectory(directory, Detach::kLazily));
    detached = true;
  }
  return Error(ErrorCode::kBusy, "too many dead mounts on top of each other");
}

}  // namespace amphora::mount
