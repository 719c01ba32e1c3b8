#include "cli/daemon/mounts.h"

#include <chrono>
#include <thread>
#include <utility>

#include "meta/base/log.h"

namespace amphora::cli {

namespace {

// After umount(8) by somebody else the session's thread still has to notice: it does within
// milliseconds.
constexpr auto kNoticeStep = std::chrono::milliseconds(5);
constexpr int kNoticeSteps = 200;

}  // namespace

bool Mounts::Reserve(const std::string& directory) {
  ForgetEnded();
  std::lock_guard lock(mutex_);
  return mounts_.try_emplace(directory).second;
}

Result<mount::MountFigures> Mounts::Add(const mount::MountOptions& options) {
  bool reserved = Reserve(options.directory);
  for (int step = 0; !reserved && step < kNoticeSteps; ++step) {
    std::this_thread::sleep_for(kNoticeStep);
    reserved = Reserve(options.directory);
  }
  if (!reserved) return Error(ErrorCode::kBusy, "this daemon has a mount there");
  Result<std::unique_ptr<mount::Mount>> started = mount::Mount::Start(engine_, options);
  std::lock_guard lock(mutex_);
  if (!started.ok()) {
    mounts_.erase(options.directory);
    return started.error();
  }
  std::shared_ptr<mount::Mount>& slot = mounts_[options.directory];
  slot = std::move(*started);
  return slot->figures();
}

Status Mounts::Remove(const std::string& directory, bool force) {
  std::shared_ptr<mount::Mount> mount;
  {
    std::lock_guard lock(mutex_);
    const auto it = mounts_.find(directory);
    if (it != mounts_.end()) mount = it->second;
  }
  if (mount == nullptr) {
    AMPHORA_ASSIGN(const bool detached, mount::DetachDeadMount(directory));
    return detached ? Ok() : Status(ErrorCode::kNotFound);
  }
  AMPHORA_TRY(mount->Unmount(force));
  std::lock_guard lock(mutex_);
  const auto it = mounts_.find(directory);
  if (it != mounts_.end() && it->second == mount) mounts_.erase(it);
  return Ok();
}

std::vector<mount::MountFigures> Mounts::Figures() {
  ForgetEnded();
  std::lock_guard lock(mutex_);
  std::vector<mount::MountFigures> all;
  for (const auto& [directory, mount] : mounts_) {
    if (mount != nullptr) all.push_back(mount->figures());
  }
  return all;
}

void Mounts::ForgetEnded() {
  std::vector<std::shared_ptr<mount::Mount>> ended;  // destroyed outside of the lock
  std::lock_guard lock(mutex_);
  for (auto it = mounts_.begin(); it != mounts_.end();) {
    if (it->second != nullptr && !it->second->figures().alive) {
      ended.push_back(std::move(it->second));
      it = mounts_.erase(it);
    } else {
      ++it;
    }
  }
}

void Mounts::EndAll() {
  std::map<std::string, std::shared_ptr<mount::Mount>> all;
  {
    std::lock_guard lock(mutex_);
    all.swap(mounts_);
  }
  for (const auto& [directory, mount] : all) {
    if (mount == nullptr || mount->Unmount(false).ok()) continue;
    std::string line = "mount in use, detached";
    AppendField(line, "directory", directory);
    Log(LogLevel::kWarning, line);
    if (const Status forced = mount->Unmount(true); !forced.ok()) {
      line = "unmount failed: " + forced.error().ToString();
      AppendField(line, "directory", directory);
      Log(LogLevel::kError, line);
    }
  }
}

}  // namespace amphora::cli
