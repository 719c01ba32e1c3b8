#include "mount/passthrough.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "meta/base/log.h"
#include "meta/base/log_limit.h"

namespace amphora::mount {
namespace {

// From the kernel's FUSE protocol (since 6.9); Debian 12's <linux/fuse.h> is older.
struct BackingMap {
  std::int32_t fd;
  std::uint32_t flags;
  std::uint64_t padding;
};
constexpr unsigned kDeviceMagic = 229;
constexpr unsigned long kBackingOpen = _IOW(kDeviceMagic, 1, BackingMap);
constexpr unsigned long kBackingClose = _IOW(kDeviceMagic, 2, std::uint32_t);

std::string ReasonOf(int error) {
  switch (error) {
    case EPERM:
      return "registering a backing file needs CAP_SYS_ADMIN";
    case ELOOP:
      return "the data directory is on a stacked file system (overlayfs)";
    default:
      return std::string("registering a backing file failed: ") + std::strerror(error);
  }
}

}  // namespace

void Passthrough::Enable(int device, const std::string& probe_directory) {
  std::lock_guard lock(mutex_);
  device_ = device;
  reason_.clear();
  const int scratch = open(probe_directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (scratch < 0) {
    DisableLocked("the data directory's file system has no O_TMPFILE to try it with");
    return;
  }
  const int id = Register(scratch);
  if (id > 0) {
    Unregister(id);
    possible_ = true;
  } else {
    DisableLocked(ReasonOf(errno));
  }
  close(scratch);
}

void Passthrough::Disable(std::string reason) {
  std::lock_guard lock(mutex_);
  DisableLocked(std::move(reason));
}

void Passthrough::DisableLocked(std::string reason) {
  possible_ = false;
  reason_ = std::move(reason);
}

std::string Passthrough::reason() const {
  std::lock_guard lock(mutex_);
  return reason_;
}

int Passthrough::Register(int fd) {
  const BackingMap map = {.fd = fd, .flags = 0, .padding = 0};
  return ioctl(device_, kBackingOpen, &map);
}

void Passthrough::Unregister(int id) {
  const auto value = static_cast<std::uint32_t>(id);
  if (ioctl(device_, kBackingClose, &value) != 0) {
    LogLimited(LogLevel::kWarning, "backing file",
               "backing file of the kernel could not be closed");
  }
}

int Passthrough::Acquire(fs::InodeId inode, int fd) {
  std::lock_guard lock(mutex_);
  if (const auto found = registrations_.find(inode); found != registrations_.end()) {
    ++found->second.references;
    return found->second.id;
  }
  if (!possible_ || fd < 0) return 0;
  const int id = Register(fd);
  if (id <= 0) {
    // The next file would fail alike; what is registered stays in use until its last release.
    DisableLocked(ReasonOf(errno));
    Log(LogLevel::kWarning, "passthrough is off for this mount: " + reason_);
    return 0;
  }
  registrations_.emplace(inode, Registration{id, 1});
  return id;
}

void Passthrough::Release(fs::InodeId inode) {
  std::lock_guard lock(mutex_);
  const auto found = registrations_.find(inode);
  if (found == registrations_.end() || --found->second.references > 0) return;
  Unregister(found->second.id);
  registrations_.erase(found);
}

}  // namespace amphora::mount
