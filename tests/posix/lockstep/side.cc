#include "tests/posix/lockstep/side.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace amphora::lockstep {
namespace {

constexpr std::size_t kMostContent = 4 << 20;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "lockstep: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(2);
}

std::vector<std::string> NamesIn(int descriptor, bool kinds) {
  std::vector<std::string> names;
  DIR* directory = fdopendir(descriptor);
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    names.push_back(kinds ? name + ":" + std::to_string(entry->d_type) : name);
  }
  closedir(directory);
  std::ranges::sort(names);
  return names;
}

}  // namespace

Outcome OutcomeOf(long result) { return {result, result < 0 ? errno : 0, {}}; }

std::string Describe(const Outcome& outcome) {
  std::string text = std::to_string(outcome.value);
  if (outcome.error != 0) text += std::string(" ") + strerrorname_np(outcome.error);
  if (!outcome.data.empty()) text += " " + outcome.data.substr(0, 300);
  return text;
}

std::string Describe(const std::optional<Attributes>& attributes) {
  if (!attributes) return "nothing";
  char text[160];
  std::snprintf(text, sizeof text, "mode %o links %lu owner %u:%u size %ld device %lx",
                attributes->mode, attributes->links, attributes->uid, attributes->gid,
                attributes->size, attributes->device);
  return text;
}

Attributes ToAttributes(const struct stat& found) {
  Attributes attributes{found.st_mode, found.st_nlink, found.st_uid,
                        found.st_gid,  found.st_size,  found.st_rdev};
  if (S_ISDIR(found.st_mode)) attributes.size = 0;
  return attributes;
}

std::uint64_t Checksum(std::string_view bytes) { return std::hash<std::string_view>()(bytes); }

std::string ReadAll(int descriptor, std::size_t limit) {
  std::string content;
  char buffer[64 << 10];
  while (content.size() < limit) {
    const ssize_t got =
        pread(descriptor, buffer, sizeof buffer, static_cast<off_t>(content.size()));
    if (got <= 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  return content;
}

std::string Xattrs(const std::string& path) {
  std::vector<char> list(64 << 10), value(64 << 10);
  const ssize_t size = llistxattr(path.c_str(), list.data(), list.size());
  if (size < 0) return std::string("list: ") + strerrorname_np(errno);
  std::vector<std::string> words;
  for (ssize_t at = 0; at < size;) {
    const char* name = list.data() + at;
    at += static_cast<ssize_t>(std::strlen(name)) + 1;
    // How XFS keeps access control lists, shown beside them.
    if (std::string_view(name).starts_with("trusted.SGI_ACL_")) continue;
    const ssize_t length = lgetxattr(path.c_str(), name, value.data(), value.size());
    const std::string_view bytes(value.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
    words.push_back(std::string(name) + "=" + std::to_string(length) + ":" +
                    std::to_string(Checksum(bytes)));
  }
  std::ranges::sort(words);
  std::string text;
  for (const std::string& word : words) text += word + " ";
  return text;
}

Side::Side(const std::string& top, const std::string& name) : path_(top + "/" + name) {
  if (mkdir(path_.c_str(), 0777) != 0) Die("mkdir " + path_);
  if (chmod(path_.c_str(), 0777) != 0) Die("chmod " + path_);
  root_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root_ < 0) Die("open " + path_);
}

Side::~Side() {
  for (std::size_t index = 0; index < kSlots; ++index) Close(index);
  close(root_);
}

void Side::Close(std::size_t index) {
  if (slots_[index].descriptor >= 0) close(slots_[index].descriptor);
  slots_[index] = {};
}

std::optional<struct stat> Side::Stat(const std::string& path) const {
  struct stat found;
  if (fstatat(root_, path.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return found;
}

Outcome Side::List(const std::string& path) const {
  const int descriptor = openat(root_, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return OutcomeOf(-1);
  Outcome outcome;
  for (const std::string& name : NamesIn(descriptor, true)) outcome.data += name + " ";
  return outcome;
}

std::vector<std::string> Side::Tree() const {
  std::vector<std::string> lines;
  std::function<void(const std::string&)> visit = [&](const std::string& folder) {
    const int descriptor =
        openat(root_, folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) return;
    for (const std::string& name : NamesIn(descriptor, false)) {
      const std::string path = folder + "/" + name;
      const auto found = Stat(path);
      std::string line = path + ": ";
      line += Describe(found ? std::optional(ToAttributes(*found)) : std::nullopt);
      line += " " + Xattrs(path_ + "/" + path);
      if (found && S_ISREG(found->st_mode)) {
        const int file = openat(root_, path.c_str(), O_RDONLY | O_CLOEXEC);
        line += std::to_string(Checksum(ReadAll(file, kMostContent)));
        close(file);
      } else if (found && S_ISLNK(found->st_mode)) {
        char target[4096];
        const ssize_t size = readlinkat(root_, path.c_str(), target, sizeof target);
        line.append(target, size < 0 ? 0 : static_cast<std::size_t>(size));
      }
      lines.push_back(line);
      if (found && S_ISDIR(found->st_mode)) visit(path);
    }
  };
  visit(".");
  return lines;
}

}  // namespace amphora::lockstep
