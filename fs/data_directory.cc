#include "fs/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "fs/engine.h"
#include "meta/base/log.h"

namespace amphora::fs {
namespace {

constexpr std::string_view kFormatWord = "amphora-store ";

Status SyncPath(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Error::FromErrno(errno, "open to sync");
  const int failed = fsync(descriptor) != 0 ? errno : 0;
  close(descriptor);
  return failed != 0 ? Status(Error::FromErrno(failed, "fsync")) : Ok();
}

// Written under another name first, so that a crash leaves the whole file or none.
Status WriteFormat(const std::string& directory) {
  const std::string path = directory + "/format";
  const std::string fresh = path + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << kFormatWord << kStoreFormat << "\n";
    if (!out.flush()) return Error(ErrorCode::kIo, "can't write the format file", errno);
  }
  AMPHORA_TRY(SyncPath(fresh));
  if (rename(fresh.c_str(), path.c_str()) != 0) return Error::FromErrno(errno, "format file");
  return SyncPath(directory);
}

Result<int> TakeLock(const std::string& directory) {
  const std::string path = directory + "/lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return Error::FromErrno(errno, "lock file");
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    char owner[32] = {};
    const ssize_t length = pread(descriptor, owner, sizeof(owner) - 1, 0);
    std::string line = "event=data_directory_locked";
    AppendField(line, "directory", directory);
    AppendField(line, "pid", std::string_view(owner, length > 0 ? length - 1 : 0));
    Log(LogLevel::kError, line);
    close(descriptor);
    return Error(ErrorCode::kBusy, "another process has the data directory open");
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    const int failed = errno;
    close(descriptor);
    return Error::FromErrno(failed, "lock file");
  }
  return descriptor;
}

}  // namespace

Result<std::uint32_t> ReadStoreFormat(const std::string& data_directory) {
  std::ifstream in(data_directory + "/format");
  std::string line;
  if (!in || !std::getline(in, line)) return Error(ErrorCode::kNotFound, "no store there");
  const std::string_view text(line);
  if (!text.starts_with(kFormatWord)) return Error(ErrorCode::kCorrupt, "format file");
  std::uint32_t format = 0;
  const std::string_view digits = text.substr(kFormatWord.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), format);
  if (error != std::errc() || end != digits.data() + digits.size() || format == 0) {
    return Error(ErrorCode::kCorrupt, "format file");
  }
  return format;
}

Result<std::unique_ptr<DataDirectory>> DataDirectory::Open(const std::string& path) {
  const Result<std::uint32_t> format = ReadStoreFormat(path);
  if (format.ok() && *format > kStoreFormat) return Error(ErrorCode::kNewerFormat);
  if (!format.ok() && !format.Is(ErrorCode::kNotFound)) return format.error();
  std::error_code failed;
  const bool existed = std::filesystem::exists(path, failed);
  std::filesystem::create_directories(path, failed);
  if (failed) return Error::FromErrno(failed.value(), "can't create the data directory");
  if (!existed && chmod(path.c_str(), 0700) != 0) return Error::FromErrno(errno, "chmod");
  if (!format.ok() && std::filesystem::exists(path + "/meta", failed)) {
    return Error(ErrorCode::kCorrupt, "the data directory has a store but no format file");
  }
  AMPHORA_ASSIGN(const int descriptor, TakeLock(path));
  const std::uint32_t written = format.ok() ? *format : kStoreFormat;
  std::unique_ptr<DataDirectory> directory(new DataDirectory(path, written, descriptor));
  if (!format.ok()) AMPHORA_TRY(WriteFormat(path));
  return directory;
}

Status DataDirectory::MarkUpgraded() { return WriteFormat(path_); }

DataDirectory::~DataDirectory() {
  if (ftruncate(lock_descriptor_, 0) != 0) Log(LogLevel::kWarning, "event=lock_file_not_cleared");
  close(lock_descriptor_);
}

}  // namespace amphora::fs
