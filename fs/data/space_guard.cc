#include "fs/data/space_guard.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "fs/data/descriptor.h"
#include "meta/base/log.h"

namespace amphora::fs {
namespace {

constexpr std::uint64_t kMostReserve = 128ull << 20;
constexpr std::uint64_t kShareOfDisk = 8;
constexpr auto kLookSeldom = std::chrono::milliseconds(500);
constexpr auto kLookOften = std::chrono::milliseconds(50);

void LogSpace(LogLevel level, const char* event, std::uint64_t free_bytes) {
  std::string line = event;
  AppendField(line, "free_bytes", free_bytes);
  Log(level, line);
}

}  // namespace

SpaceGuard::SpaceGuard(const std::string& data_directory, std::uint64_t reserve_bytes)
    : directory_(data_directory),
      path_(data_directory + "/reserve"),
      reserve_bytes_(reserve_bytes) {}

Result<std::unique_ptr<SpaceGuard>> SpaceGuard::Open(const std::string& data_directory) {
  struct statvfs disk;
  if (statvfs(data_directory.c_str(), &disk) != 0) {
    return Error::FromErrno(errno, "the data directory's disk");
  }
  const std::uint64_t size = std::uint64_t{disk.f_blocks} * disk.f_frsize;
  std::unique_ptr<SpaceGuard> guard(
      new SpaceGuard(data_directory, std::min(kMostReserve, size / kShareOfDisk)));
  std::lock_guard lock(guard->mutex_);
  struct stat reserve;
  guard->has_reserve_ = stat(guard->path_.c_str(), &reserve) == 0 &&
                        std::uint64_t(reserve.st_blocks) * 512 >= guard->reserve_bytes_;
  // Recovery flushes what it finds in the log.
  if (guard->FreeBytes() < guard->floor_bytes()) guard->GiveUp();
  return guard;
}

void SpaceGuard::Start() {
  {
    std::lock_guard lock(mutex_);
    LookHeld();
  }
  watch_ = std::thread([this] { Watch(); });
}

SpaceGuard::~SpaceGuard() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (watch_.joinable()) watch_.join();
}

Status SpaceGuard::Admit(std::uint64_t bytes) {
  const auto wanted = static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, INT64_MAX));
  if (budget_.fetch_sub(wanted, std::memory_order_relaxed) >= wanted) return Ok();
  std::lock_guard lock(mutex_);
  LookHeld();
  if (budget_.fetch_sub(wanted, std::memory_order_relaxed) >= wanted) return Ok();
  budget_.store(0, std::memory_order_relaxed);
  return Error(ErrorCode::kNoSpace, "what is left of the disk is kept for deleting");
}

std::uint64_t SpaceGuard::FreeBytes() const {
  struct statvfs disk;
  if (statvfs(directory_.c_str(), &disk) != 0) return UINT64_MAX;  // nothing is known: let it try
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

void SpaceGuard::LookHeld() {
  std::uint64_t free = FreeBytes();
  const std::uint64_t floor = floor_bytes();
  if (has_reserve_ && free < floor / 2) {
    LogSpace(LogLevel::kError, "event=disk_full", free);
    GiveUp();
    free = FreeBytes();
  } else if (!has_reserve_ && can_reserve_ && free >= reserve_bytes_ + floor + floor / 2) {
    has_reserve_ = MakeReserve();
    free = FreeBytes();
  }
  const bool open = (has_reserve_ || !can_reserve_) && free > floor;
  const std::uint64_t budget = open ? free - floor : 0;
  budget_.store(static_cast<std::int64_t>(std::min<std::uint64_t>(budget, INT64_MAX / 2)),
                std::memory_order_relaxed);
  const bool was_full = full_.exchange(!open, std::memory_order_relaxed);
  if (was_full && open) LogSpace(LogLevel::kInfo, "event=disk_has_room", free);
  if (!was_full && !open) LogSpace(LogLevel::kWarning, "event=disk_nearly_full", free);
  last_free_ = free;
}

void SpaceGuard::GiveUp() {
  has_reserve_ = false;
  if (unlink(path_.c_str()) != 0 && errno != ENOENT) {
    Log(LogLevel::kError, "event=reserve_kept " + Error::FromErrno(errno, "unlink").ToString());
  }
}

bool SpaceGuard::MakeReserve() {
  const Descriptor file(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return false;
  int result = 0;
  while ((result = fallocate(file.get(), 0, 0, static_cast<off_t>(reserve_bytes_))) != 0 &&
         errno == EINTR) {
  }
  if (result == 0) return true;
  can_reserve_ = errno != EOPNOTSUPP && errno != ENOSYS;
  unlink(path_.c_str());
  return false;
}

void SpaceGuard::Watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const bool near = last_free_ < 4 * kMostReserve;
    wake_.wait_for(lock, near ? kLookOften : kLookSeldom, [this] { return stopping_; });
    if (!stopping_) LookHeld();
  }
}

}  // namespace amphora::fs
