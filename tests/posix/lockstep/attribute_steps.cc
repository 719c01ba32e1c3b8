// Attributes: modes, owners, times, xattrs, access control lists, access.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "tests/posix/lockstep/step.h"

namespace amphora::lockstep {
namespace {

std::string PathOf(const Side& side, const std::string& path) { return side.path() + "/" + path; }

Step Chmod(Random& random) {
  const std::string path = RandomPath(random);
  const std::size_t slot = random.Below(kSlots);
  const mode_t mode = RandomMode(random);
  char text[80];
  std::snprintf(text, sizeof text, " mode %o", mode);
  if (random.OneIn(4)) {
    return {.text = "fchmod slot " + std::to_string(slot) + text,
            .paths = {},
            .slot = static_cast<int>(slot),
            .run = [=](Side& side) { return OutcomeOf(fchmod(side.descriptor(slot), mode)); }};
  }
  return {.text = "chmod " + path + text, .paths = {path}, .run = [=](Side& side) {
            return OutcomeOf(fchmodat(side.root(), path.c_str(), mode, 0));
          }};
}

Step Chown(Random& random) {
  static constexpr uid_t kUsers[] = {0, 1001, 1002, static_cast<uid_t>(-1)};
  static constexpr gid_t kGroups[] = {0, 1001, 1002, 2000, static_cast<gid_t>(-1)};
  const std::string path = RandomPath(random);
  const uid_t user = random.Of(kUsers);
  const gid_t group = random.Of(kGroups);
  const int flags = random.OneIn(2) ? AT_SYMLINK_NOFOLLOW : 0;
  return {.text = "chown " + path + " " + std::to_string(static_cast<int>(user)) + ":" +
                  std::to_string(static_cast<int>(group)) + " flags " + std::to_string(flags),
          .paths = {path},
          .run = [=](Side& side) {
            Outcome outcome = OutcomeOf(fchownat(side.root(), path.c_str(), user, group, flags));
            // Of a file with setuid that is another's FUSE does not tell us enough to refuse it.
            const bool nothing = user == static_cast<uid_t>(-1) && group == static_cast<gid_t>(-1);
            if (nothing && outcome.error == EPERM) outcome = {};
            return outcome;
          }};
}

timespec RandomTime(Random& random) {
  switch (random.Below(4)) {
    case 0:
      return {0, UTIME_NOW};
    case 1:
      return {0, UTIME_OMIT};
    case 2:
      return {static_cast<time_t>(random.Below(4'000'000'000)), 123'456'789};
    default:
      return {-5, 999'999'999};
  }
}

// Answers the times that were given, as they are kept.
Step SetTimes(Random& random) {
  const std::string path = RandomPath(random);
  const timespec times[2] = {RandomTime(random), RandomTime(random)};
  const int flags = random.OneIn(2) ? AT_SYMLINK_NOFOLLOW : 0;
  return {.text = "utimensat " + path, .paths = {path}, .run = [=](Side& side) {
            Outcome outcome = OutcomeOf(utimensat(side.root(), path.c_str(), times, flags));
            struct stat found;
            if (outcome.value != 0 || fstatat(side.root(), path.c_str(), &found, flags) != 0) {
              return outcome;
            }
            for (const auto& [asked, kept] :
                 {std::pair(times[0], found.st_atim), std::pair(times[1], found.st_mtim)}) {
              if (asked.tv_nsec == UTIME_NOW || asked.tv_nsec == UTIME_OMIT) continue;
              outcome.data +=
                  std::to_string(kept.tv_sec) + "." + std::to_string(kept.tv_nsec) + " ";
            }
            return outcome;
          }};
}

const std::string& RandomXattr(Random& random) {
  static const std::string kNames[] = {
      "user.a", "user.b",   "trusted.t", "security.s",
      "user.",  "odd.name", "user.long", "user." + std::string(251, 'x')};
  return random.Of(kNames);
}

Step SetXattr(Random& random, std::uint64_t seed) {
  static constexpr std::size_t kSizes[] = {0, 1, 10, 300, 5000, 65536, 65537};
  static constexpr int kFlags[] = {0, 0, XATTR_CREATE, XATTR_REPLACE};
  const std::string path = RandomPath(random);
  const std::string name = RandomXattr(random);
  const std::string value(random.Of(kSizes),
                          static_cast<char>('a' + (seed + random.Below(26)) % 26));
  const int flags = random.Of(kFlags);
  return {.text = "setxattr " + path + " " + name.substr(0, 20) + " " +
                  std::to_string(value.size()) + " flags " + std::to_string(flags),
          .paths = {path},
          .run = [=](Side& side) {
            return OutcomeOf(lsetxattr(PathOf(side, path).c_str(), name.c_str(), value.data(),
                                       value.size(), flags));
          }};
}

Step GetXattr(Random& random) {
  static constexpr std::size_t kRooms[] = {0, 5, 70000};
  const std::string path = RandomPath(random);
  const std::string name = RandomXattr(random);
  const std::size_t room = random.Of(kRooms);
  return {
      .text = "getxattr " + path + " " + name.substr(0, 20), .paths = {}, .run = [=](Side& side) {
        std::vector<char> value(70000);
        Outcome outcome =
            OutcomeOf(lgetxattr(PathOf(side, path).c_str(), name.c_str(), value.data(), room));
        if (outcome.value > 0 && room > 0) {
          outcome.data.assign(value.data(), static_cast<std::size_t>(outcome.value));
        }
        return outcome;
      }};
}

Step RemoveXattr(Random& random) {
  const std::string path = RandomPath(random);
  const std::string name =
      random.OneIn(4) ? (random.OneIn(2) ? "system.posix_acl_access" : "system.posix_acl_default")
                      : RandomXattr(random);
  return {.text = "removexattr " + path + " " + name.substr(0, 30),
          .paths = {path},
          .run = [=](Side& side) {
            return OutcomeOf(lremovexattr(PathOf(side, path).c_str(), name.c_str()));
          }};
}

Step ListXattrs(Random& random) {
  const std::string path = RandomPath(random);
  return {.text = "listxattr " + path, .paths = {}, .run = [=](Side& side) {
            return Outcome{0, 0, Xattrs(PathOf(side, path))};
          }};
}

void AppendEntry(std::string& list, std::uint16_t tag, std::uint16_t permissions,
                 std::uint32_t id) {
  const std::uint32_t words[] = {static_cast<std::uint32_t>(permissions) << 16 | tag, id};
  list.append(reinterpret_cast<const char*>(words), sizeof words);
}

// The xattr of an access control list: entries as linux/posix_acl_xattr.h has them.
std::string RandomAcl(Random& random) {
  std::string list("\2\0\0\0", 4);
  const auto bits = [&] { return static_cast<std::uint16_t>(random.Below(8)); };
  AppendEntry(list, 0x01, bits(), UINT32_MAX);
  const bool named = !random.OneIn(4);
  if (named) AppendEntry(list, 0x02, bits(), 1001);
  if (named && random.OneIn(2)) AppendEntry(list, 0x02, bits(), 1002);
  AppendEntry(list, 0x04, bits(), UINT32_MAX);
  if (named && random.OneIn(2)) AppendEntry(list, 0x08, bits(), 2000);
  // Without a mask an access control list with names is not valid.
  if (named && !random.OneIn(10)) AppendEntry(list, 0x10, bits(), UINT32_MAX);
  AppendEntry(list, 0x20, bits(), UINT32_MAX);
  return list;
}

Step SetAcl(Random& random) {
  const std::string path = RandomPath(random);
  const std::string name = random.OneIn(2) ? "system.posix_acl_access" : "system.posix_acl_default";
  const std::string list = RandomAcl(random);
  return {
      .text = "set " + name + " of " + path + ", " + std::to_string(list.size() / 8) + " entries",
      .paths = {path},
      .run = [=](Side& side) {
        return OutcomeOf(
            setxattr(PathOf(side, path).c_str(), name.c_str(), list.data(), list.size(), 0));
      }};
}

Step Access(Random& random) {
  const std::string path = RandomPath(random);
  const int mode = static_cast<int>(random.Below(8));
  return {
      .text = "access " + path + " " + std::to_string(mode), .paths = {}, .run = [=](Side& side) {
        return OutcomeOf(faccessat(side.root(), path.c_str(), mode, AT_EACCESS));
      }};
}

}  // namespace

Step MakeAttributeStep(Random& random, std::uint64_t seed) {
  const std::uint64_t choice = random.Below(100);
  if (choice < 20) return Chmod(random);
  if (choice < 32) return Chown(random);
  if (choice < 42) return SetTimes(random);
  if (choice < 57) return SetXattr(random, seed);
  if (choice < 65) return GetXattr(random);
  if (choice < 71) return RemoveXattr(random);
  if (choice < 76) return ListXattrs(random);
  if (choice < 90) return SetAcl(random);
  return Access(random);
}

}  // namespace amphora::lockstep
