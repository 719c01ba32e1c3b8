#include "mount/name_probe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <random>
#include <thread>

#include "mount/context.h"
#include "mount/reply.h"

namespace amphora::mount {
namespace {

// How long the answer is held back: long enough for a kernel that does not wait for it to be done
// with the invalidation first.
constexpr std::chrono::milliseconds kHold(20);
constexpr std::chrono::seconds kPatience(5);

std::string ReservedName() {
  std::random_device random;
  return ".amphora-probe-" + std::to_string(random()) + std::to_string(random());
}

void Use(int directory, const std::string& name) {
  struct stat ignored;
  fstatat(directory, name.c_str(), &ignored, AT_SYMLINK_NOFOLLOW);
}

}  // namespace

std::string_view ToText(NameInvalidation mode) {
  switch (mode) {
    case NameInvalidation::kEntry:
      return "entry";
    case NameInvalidation::kEpoch:
      return "epoch";
    case NameInvalidation::kTimeout:
      return "timeout";
  }
  return "timeout";
}

NameInvalidation NameProbe::Run(fuse_session* session, const std::string& directory) {
  const int root = open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return NameInvalidation::kTimeout;
  NameInvalidation found = NameInvalidation::kTimeout;
  for (const NameInvalidation mode : {NameInvalidation::kEntry, NameInvalidation::kEpoch}) {
    if (!Works(session, root, mode)) continue;
    found = mode;
    break;
  }
  close(root);
  return found;
}

bool NameProbe::Works(fuse_session* session, int directory, NameInvalidation mode) {
  const std::string name = ReservedName();
  {
    std::lock_guard lock(mutex_);
    name_ = name;
    lookups_ = 0;
    invalidated_ = false;
  }
  active_ = true;
  std::thread first_user([&] { Use(directory, name); });
  bool asked = false;
  {
    std::unique_lock lock(mutex_);
    asked = changed_.wait_for(lock, kPatience, [this] { return lookups_ == 1; });
  }
  const int result =
      fuse_lowlevel_notify_inval_entry(session, FUSE_ROOT_ID, name.data(), name.size());
  if (mode == NameInvalidation::kEpoch && result == -ENOENT) {
    fuse_lowlevel_notify_increment_epoch(session);
  }
  {
    std::lock_guard lock(mutex_);
    invalidated_ = true;
  }
  changed_.notify_all();
  first_user.join();
  Use(directory, name);
  active_ = false;
  std::lock_guard lock(mutex_);
  return asked && lookups_ == 2;
}

bool NameProbe::Take(fuse_req_t request, std::string_view name) {
  {
    std::unique_lock lock(mutex_);
    if (name != name_) return false;
    ++lookups_;
    changed_.notify_all();
    if (lookups_ == 1) changed_.wait_for(lock, kHold, [this] { return invalidated_; });
  }
  fuse_entry_param nothing = {};
  nothing.entry_timeout = kForever;
  ReplyEntry(request, nothing);
  return true;
}

}  // namespace amphora::mount
