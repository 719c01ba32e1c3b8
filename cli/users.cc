#include "cli/users.h"

#include <pwd.h>

#include <array>

namespace amphora::cli {
namespace {
constexpr std::size_t kEntryBytes = 16 << 10;
}  // namespace

std::string UserName(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, kEntryBytes> buffer{};
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return "uid-" + std::to_string(uid);
}

std::optional<User> FindUser(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, kEntryBytes> buffer{};
  if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return User{found->pw_uid, found->pw_gid};
  }
  return std::nullopt;
}

}  // namespace amphora::cli
