// The system's user database (passwd(5), by getpwuid_r and getpwnam_r). Thread-safe.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace amphora::cli {

// "uid-1000" when the user has no name.
std::string UserName(uid_t uid);

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};
std::optional<User> FindUser(const std::string& name);

}  // namespace amphora::cli
