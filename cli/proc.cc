#include "cli/proc.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

namespace amphora::cli {
namespace {

namespace stdfs = std::filesystem;

constexpr int kTcpListen = 10;  // proc(5): state 0A

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

template <typename Number>
bool ParseNumber(std::string_view text, Number& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

// The socket inodes that listen on `port`, from one of the kernel's tables.
void CollectListeners(const char* table, std::uint16_t port, std::set<std::string>& inodes) {
  std::ifstream stream(table);
  std::string line;
  std::getline(stream, line);  // the heading
  while (std::getline(stream, line)) {
    const std::vector<std::string> words = Words(line);
    if (words.size() < 10) continue;
    unsigned local_port = 0;
    int state = 0;
    const std::size_t colon = words[1].rfind(':');
    if (colon == std::string::npos) continue;
    if (!ParseNumber(std::string_view(words[1]).substr(colon + 1), local_port, 16)) continue;
    if (!ParseNumber(words[3], state, 16)) continue;
    if (local_port == port && state == kTcpListen) inodes.insert("socket:[" + words[9] + "]");
  }
}

bool HoldsOneOf(const stdfs::path& process, const std::set<std::string>& sockets) {
  std::error_code error;
  for (auto it = stdfs::directory_iterator(process / "fd", error); !error && it != stdfs::end(it);
       it.increment(error)) {
    std::error_code ignored;
    const std::string target = stdfs::read_symlink(it->path(), ignored).string();
    if (sockets.contains(target)) return true;
  }
  return false;
}

using FileNumber = std::pair<std::string, std::uint64_t>;  // "fd:01", inode

void CollectFiles(const stdfs::path& directory, int depth, std::set<FileNumber>& files) {
  std::error_code error;
  for (auto it = stdfs::directory_iterator(directory, error); !error && it != stdfs::end(it);
       it.increment(error)) {
    struct stat status {};
    if (lstat(it->path().c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode) && depth > 0) CollectFiles(it->path(), depth - 1, files);
    char device[32];
    std::snprintf(device, sizeof device, "%02x:%02x", major(status.st_dev), minor(status.st_dev));
    files.emplace(device, status.st_ino);
  }
}

}  // namespace

std::string DescribeProcess(long pid) {
  std::ifstream stream("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(stream, name);
  return "pid " + std::to_string(pid) + (name.empty() ? "" : " (" + name + ")");
}

std::string FindPortHolder(std::uint16_t port) {
  std::set<std::string> sockets;
  CollectListeners("/proc/net/tcp", port, sockets);
  CollectListeners("/proc/net/tcp6", port, sockets);
  if (sockets.empty()) return "";
  std::error_code error;
  for (auto it = stdfs::directory_iterator("/proc", error); !error && it != stdfs::end(it);
       it.increment(error)) {
    long pid = 0;
    if (!ParseNumber(it->path().filename().string(), pid, 10)) continue;
    if (HoldsOneOf(it->path(), sockets)) return DescribeProcess(pid);
  }
  return "";
}

std::optional<pid_t> LockHolder(const std::string& directory) {
  std::set<FileNumber> files;
  CollectFiles(directory, 1, files);
  struct stat own {};
  if (stat(directory.c_str(), &own) == 0) {
    char device[32];
    std::snprintf(device, sizeof device, "%02x:%02x", major(own.st_dev), minor(own.st_dev));
    files.emplace(device, own.st_ino);
  }
  std::ifstream stream("/proc/locks");
  for (std::string line; std::getline(stream, line);) {
    // "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF"
    const std::vector<std::string> words = Words(line);
    if (words.size() < 6 || words[1] == "->") continue;
    const std::size_t colon = words[5].rfind(':');
    pid_t pid = 0;
    std::uint64_t inode = 0;
    if (colon == std::string::npos || !ParseNumber(words[4], pid, 10) || pid <= 0) continue;
    if (!ParseNumber(std::string_view(words[5]).substr(colon + 1), inode, 10)) continue;
    if (pid != getpid() && files.contains({words[5].substr(0, colon), inode})) return pid;
  }
  return std::nullopt;
}

std::string FindLockHolder(const std::string& directory) {
  const std::optional<pid_t> pid = LockHolder(directory);
  return pid ? DescribeProcess(*pid) : "";
}

}  // namespace amphora::cli
