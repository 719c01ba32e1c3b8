#include "fs/data/local_blob.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "meta/base/failpoint.h"
#include "meta/base/log.h"
#include "meta/base/log_limit.h"
#include "meta/base/metrics.h"

namespace amphora::fs {
namespace {

constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();

// kFileTooLarge when a range leaves what off_t can say.
Status CheckRange(std::uint64_t offset, std::uint64_t length) {
  if (offset > kMaxOffset || length > kMaxOffset - offset) {
    return Error(ErrorCode::kFileTooLarge, "offset");
  }
  return Ok();
}

}  // namespace

Status LocalBlob::CheckHealthy() const {
  if (poisoned_.load(std::memory_order_acquire)) {
    return Error(ErrorCode::kPoisoned, "an earlier sync of this content failed");
  }
  return Ok();
}

LocalBlob::HeldFile LocalBlob::Hold() const {
  std::shared_lock lock(mutex_);
  const int file = file_.get();
  return {std::move(lock), file};
}

int LocalBlob::descriptor() const { return Hold().second; }

Result<bool> LocalBlob::IsUsedElsewhere() {
  const auto [lock, file] = Hold();
  // As LocalBlobs::HasForeignWriters: what a broken lease sends must not end the process.
  if (::fcntl(file, F_SETSIG, SIGURG) != 0) return Error::FromErrno(errno, "F_SETSIG");
  // A write lease is given to the only one who has the file open; a mapping counts as open.
  if (::fcntl(file, F_SETLEASE, F_WRLCK) == 0) {
    ::fcntl(file, F_SETLEASE, F_UNLCK);
    return false;
  }
  if (errno == EAGAIN) return true;
  return Error::FromErrno(errno, "F_SETLEASE of a blob");
}

Result<std::size_t> LocalBlob::Read(std::uint64_t offset, std::span<std::byte> buffer) {
  if (!CheckRange(offset, buffer.size()).ok()) return std::size_t{0};
  const auto [lock, file] = Hold();
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = ::pread(file, buffer.data() + done, buffer.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::FromErrno(errno, "reading a blob");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Status LocalBlob::Write(std::uint64_t offset, std::span<const std::byte> data) {
  AMPHORA_TRY(CheckHealthy());
  AMPHORA_TRY(CheckRange(offset, data.size()));
  AMPHORA_TRY(Failpoint("fs.blob.write"));
  const auto [lock, file] = Hold();
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t put =
        ::pwrite(file, data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Error::FromErrno(errno, "writing a blob");
    done += static_cast<std::size_t>(put);
  }
  return Ok();
}

Status LocalBlob::Truncate(std::uint64_t size) {
  AMPHORA_TRY(CheckHealthy());
  AMPHORA_TRY(CheckRange(size, 0));
  const auto [lock, file] = Hold();
  while (::ftruncate(file, static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return Error::FromErrno(errno, "truncating a blob");
  }
  return Ok();
}

Status LocalBlob::Fallocate(int mode, std::uint64_t offset, std::uint64_t length) {
  AMPHORA_TRY(CheckHealthy());
  AMPHORA_TRY(CheckRange(offset, length));
  const auto [lock, file] = Hold();
  while (::fallocate(file, mode, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
    if (errno != EINTR) return Error::FromErrno(errno, "fallocate of a blob");
  }
  return Ok();
}

Status LocalBlob::Allocate(std::uint64_t offset, std::uint64_t length, bool keep_size) {
  return Fallocate(keep_size ? FALLOC_FL_KEEP_SIZE : 0, offset, length);
}

Status LocalBlob::Punch(std::uint64_t offset, std::uint64_t length) {
  return Fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

Status LocalBlob::Zero(std::uint64_t offset, std::uint64_t length, bool keep_size) {
  return Fallocate(FALLOC_FL_ZERO_RANGE | (keep_size ? FALLOC_FL_KEEP_SIZE : 0), offset, length);
}

Result<std::uint64_t> LocalBlob::Seek(std::uint64_t offset, int whence) {
  AMPHORA_TRY(CheckRange(offset, 0));
  const auto [lock, file] = Hold();
  const off_t found = ::lseek(file, static_cast<off_t>(offset), whence);
  if (found >= 0) return static_cast<std::uint64_t>(found);
  if (errno == ENXIO) return Error(ErrorCode::kOutOfRange, "seek");
  return Error::FromErrno(errno, "seeking in a blob");
}

Result<std::uint64_t> LocalBlob::SeekData(std::uint64_t offset) { return Seek(offset, SEEK_DATA); }
Result<std::uint64_t> LocalBlob::SeekHole(std::uint64_t offset) { return Seek(offset, SEEK_HOLE); }

Result<BlobFigures> LocalBlob::Figures() {
  struct stat status;
  const auto [lock, file] = Hold();
  if (::fstat(file, &status) != 0) return Error::FromErrno(errno, "fstat of a blob");
  return BlobFigures{.size = static_cast<std::uint64_t>(status.st_size),
                     .allocated = static_cast<std::uint64_t>(status.st_blocks) * 512,
                     .modified = Time::FromTimespec(status.st_mtim),
                     .changed = Time::FromTimespec(status.st_ctim)};
}

void LocalBlob::Poison() {
  poisoned_.store(true, std::memory_order_release);
  health_.Poison(id_);
}

Status LocalBlob::Sync() {
  AMPHORA_TRY(CheckHealthy());
  Count(Counter::kBlobSyncs);
  if (FailpointSkips("fs.blob.sync")) return Ok();
  const auto [lock, file] = Hold();
  Status synced = Failpoint("fs.blob.sync");
  if (synced.ok() && ::fdatasync(file) != 0) {
    synced = Error::FromErrno(errno, "fdatasync of a blob");
  }
  if (synced.ok()) return synced;
  Poison();
  std::string line = "event=blob_sync_failed";
  AppendField(line, "blob", id_.value());
  AppendField(line, "error", synced.error().ToString());
  LogLimited(LogLevel::kError, "event=blob_sync_failed", std::move(line));
  return synced;
}

}  // namespace amphora::fs
