#include "mount/elsewhere.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <fstream>

#include "mount/system.h"

namespace amphora::mount {
namespace {

constexpr unsigned kFuseMajor = 10;  // Documentation/admin-guide/devices.txt: misc devices
constexpr unsigned kFuseMinor = 229;

unsigned long FlagsOf(const MountOptions& options) {
  unsigned long flags = 0;
  if (options.read_only) flags |= MS_RDONLY;
  if (options.noexec) flags |= MS_NOEXEC;
  if (!options.relatime) flags |= MS_NOATIME;
  if (options.nosuid) flags |= MS_NOSUID;
  if (options.nodev) flags |= MS_NODEV;
  return flags;
}

bool IsFuseDevice(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
         status.st_rdev == makedev(kFuseMajor, kFuseMinor);
}

}  // namespace

std::string MountNamespace(std::optional<pid_t> process) {
  const std::string path =
      "/proc/" + (process ? std::to_string(*process) : std::string("self")) + "/ns/mnt";
  char name[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), name, sizeof name);
  return length > 0 ? std::string(name, static_cast<std::size_t>(length)) : std::string();
}

Result<int> MountHere(const std::string& source, const std::string& directory,
                      const MountOptions& options) {
  const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) return Error(ErrorCode::kNotPermitted, "/dev/fuse can't be opened", errno);
  std::string data = "fd=" + std::to_string(device) +
                     ",rootmode=40000,user_id=" + std::to_string(geteuid()) +
                     ",group_id=" + std::to_string(getegid()) + ",default_permissions";
  if (options.allow_other.value_or(true)) data += ",allow_other";
  const std::string shown = "amphora:" + source;
  if (::mount(shown.c_str(), directory.c_str(), "fuse.amphora", FlagsOf(options), data.c_str()) ==
      0) {
    return device;
  }
  const int error = errno;
  close(device);
  if (error == ENOENT) return Error(ErrorCode::kNotFound, "the mount point does not exist");
  if (error == EPERM || error == EACCES) {
    return Error(ErrorCode::kNotPermitted, "mounting in this namespace", error);
  }
  return Error::FromErrno(error, "mounting in this namespace");
}

Status UnmountHere(const std::string& directory, bool force) {
  return UnmountDirectory(directory, force ? Detach::kAborting : Detach::kIfIdle);
}

Result<int> TakeDevice(pid_t process, int fd) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (handle < 0) return Error::FromErrno(errno, "the mounting process");
  const int copy = static_cast<int>(syscall(SYS_pidfd_getfd, handle, fd, 0));
  const int error = errno;
  close(handle);
  if (copy < 0) return Error::FromErrno(error, "the descriptor of the mount");
  if (IsFuseDevice(copy)) return copy;
  close(copy);
  return Error(ErrorCode::kInvalidArgument, "the descriptor is no FUSE device");
}

std::optional<unsigned> ConnectionOf(int device) {
  std::ifstream file("/proc/self/fdinfo/" + std::to_string(device));
  constexpr std::string_view kField = "fuse_connection:";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kField)) continue;
    const std::size_t begin = line.find_first_of("0123456789");
    unsigned number = 0;
    if (begin == std::string::npos) return std::nullopt;
    const char* const end = line.data() + line.size();
    if (std::from_chars(line.data() + begin, end, number).ec == std::errc()) return number;
  }
  return std::nullopt;
}

}  // namespace amphora::mount
