#include "fs/data/blob_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string_view>

#include "meta/base/failpoint.h"

namespace amphora::fs {
namespace {

constexpr int kGroupBits = 12;
constexpr std::string_view kProbeSource = "probe-source";
constexpr std::string_view kProbeTarget = "probe-target";

std::uint64_t GroupOf(BlobId blob) { return blob.value() >> kGroupBits; }

std::string GroupName(std::uint64_t group) {
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "%013" PRIx64, group);
  return text.data();
}

std::string PathOf(BlobId blob) {
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "%013" PRIx64 "/%016" PRIx64, GroupOf(blob),
                blob.value());
  return text.data();
}

// The number of a name of exactly `digits` lower-case hexadecimal digits.
std::optional<std::uint64_t> ParseName(std::string_view name, std::size_t digits) {
  if (name.size() != digits) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value, 16);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return value;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using OpenDirectory = std::unique_ptr<DIR, CloseDirectory>;

// The numbers that the names in a directory stand for; other names are passed over. A missing
// directory has none.
Result<std::vector<std::uint64_t>> ReadNumbers(int parent, const char* path, std::size_t digits) {
  std::vector<std::uint64_t> numbers;
  const int descriptor = ::openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return numbers;
  if (descriptor < 0) return Error::FromErrno(errno, "blob directory");
  OpenDirectory directory(::fdopendir(descriptor));
  if (!directory) {
    const int error = errno;
    ::close(descriptor);
    return Error::FromErrno(error, "blob directory");
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    if (const auto number = ParseName(entry->d_name, digits)) numbers.push_back(*number);
  }
  if (errno != 0) return Error::FromErrno(errno, "reading a blob directory");
  return numbers;
}

Status SyncDirectory(int descriptor) {
  if (FailpointSkips("fs.blob.name_sync")) return Ok();
  AMPHORA_TRY(Failpoint("fs.blob.name_sync"));
  if (::fsync(descriptor) != 0) return Error::FromErrno(errno, "fsync of a blob directory");
  return Ok();
}

}  // namespace

Result<std::unique_ptr<BlobDirectory>> BlobDirectory::Open(const std::string& root) {
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::FromErrno(errno, "creating the blob directory");
  }
  Descriptor descriptor(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid()) return Error::FromErrno(errno, "opening the blob directory");
  // Its own name must be durable too: the parent is synced, once.
  const Descriptor parent(::openat(descriptor.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid()) return Error::FromErrno(errno, "opening the data directory");
  AMPHORA_TRY(SyncDirectory(parent.get()));
  return std::unique_ptr<BlobDirectory>(new BlobDirectory(std::move(descriptor)));
}

Status BlobDirectory::EnsureGroup(std::uint64_t group) {
  std::lock_guard lock(mutex_);
  if (durable_groups_.contains(group)) return Ok();
  if (::mkdirat(root_.get(), GroupName(group).c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::FromErrno(errno, "creating a blob directory");
  }
  AMPHORA_TRY(SyncDirectory(root_.get()));
  durable_groups_.insert(group);
  return Ok();
}

Result<std::vector<std::pair<BlobId, Descriptor>>> BlobDirectory::Create(BlobId first,
                                                                         std::uint64_t count) {
  std::vector<std::pair<BlobId, Descriptor>> created;
  created.reserve(count);
  for (std::uint64_t id = first.value(); id < first.value() + count; ++id) {
    const BlobId blob(id);
    AMPHORA_TRY(EnsureGroup(GroupOf(blob)));
    Descriptor file(
        ::openat(root_.get(), PathOf(blob).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid()) return Error::FromErrno(errno, "creating a blob");
    created.emplace_back(blob, std::move(file));
  }
  const std::uint64_t last = GroupOf(BlobId(first.value() + count - 1));
  for (std::uint64_t group = GroupOf(first); group <= last; ++group) {
    const Descriptor directory(
        ::openat(root_.get(), GroupName(group).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) return Error::FromErrno(errno, "opening a blob directory");
    AMPHORA_TRY(SyncDirectory(directory.get()));
  }
  return created;
}

Result<Descriptor> BlobDirectory::OpenFile(BlobId blob, int flags) const {
  Descriptor file(::openat(root_.get(), PathOf(blob).c_str(), flags | O_CLOEXEC));
  if (!file.valid() && errno != ENOENT) return Error::FromErrno(errno, "opening a blob");
  return file;
}

Status BlobDirectory::Unlink(BlobId blob) const {
  if (::unlinkat(root_.get(), PathOf(blob).c_str(), 0) != 0 && errno != ENOENT) {
    return Error::FromErrno(errno, "removing a blob");
  }
  return Ok();
}

Status BlobDirectory::Exchange(BlobId one, BlobId other) const {
  if (::renameat2(root_.get(), PathOf(one).c_str(), root_.get(), PathOf(other).c_str(),
                  RENAME_EXCHANGE) != 0) {
    return Error::FromErrno(errno, "exchanging two blobs");
  }
  return Ok();
}

Status BlobDirectory::SyncNames(BlobId one, BlobId other) const {
  for (const std::uint64_t group : std::set{GroupOf(one), GroupOf(other)}) {
    const Descriptor directory(
        ::openat(root_.get(), GroupName(group).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) return Error::FromErrno(errno, "opening a blob directory");
    AMPHORA_TRY(SyncDirectory(directory.get()));
  }
  return Ok();
}

Status BlobDirectory::ForEach(BlobId begin, BlobId end,
                              const std::function<Status(BlobId)>& visit) const {
  AMPHORA_ASSIGN(const auto groups, ReadNumbers(root_.get(), ".", 13));
  for (const std::uint64_t group : groups) {
    if (group < GroupOf(begin) || (group << kGroupBits) >= end.value()) continue;
    AMPHORA_ASSIGN(const auto blobs, ReadNumbers(root_.get(), GroupName(group).c_str(), 16));
    for (const std::uint64_t blob : blobs) {
      if (blob >= begin.value() && blob < end.value()) AMPHORA_TRY(visit(BlobId(blob)));
    }
  }
  return Ok();
}

bool BlobDirectory::ProbeReflink() const {
  const int flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
  const Descriptor source(::openat(root_.get(), kProbeSource.data(), flags, 0600));
  const Descriptor target(::openat(root_.get(), kProbeTarget.data(), flags, 0600));
  const bool can = source.valid() && target.valid() && ::write(source.get(), "?", 1) == 1 &&
                   ::ioctl(target.get(), FICLONE, source.get()) == 0;
  ::unlinkat(root_.get(), kProbeSource.data(), 0);
  ::unlinkat(root_.get(), kProbeTarget.data(), 0);
  return can;
}

bool BlobDirectory::ProbeExchange() const {
  const int flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
  const Descriptor one(::openat(root_.get(), kProbeSource.data(), flags, 0600));
  const Descriptor other(::openat(root_.get(), kProbeTarget.data(), flags, 0600));
  const bool can = one.valid() && other.valid() &&
                   ::renameat2(root_.get(), kProbeSource.data(), root_.get(), kProbeTarget.data(),
                               RENAME_EXCHANGE) == 0;
  ::unlinkat(root_.get(), kProbeSource.data(), 0);
  ::unlinkat(root_.get(), kProbeTarget.data(), 0);
  return can;
}

bool BlobDirectory::ProbeLease() const {
  bool can = false;
  {
    const Descriptor made(
        ::openat(root_.get(), kProbeSource.data(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const Descriptor file(::openat(root_.get(), kProbeSource.data(), O_RDONLY | O_CLOEXEC));
    // While somebody has it open for writing the answer must be no.
    can = made.valid() && file.valid() && ::fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0 &&
          errno == EAGAIN;
  }
  {
    const Descriptor file(::openat(root_.get(), kProbeSource.data(), O_RDONLY | O_CLOEXEC));
    can = can && file.valid() && ::fcntl(file.get(), F_SETLEASE, F_RDLCK) == 0 &&
          ::fcntl(file.get(), F_SETLEASE, F_UNLCK) == 0;
  }
  {
    // The same of a lease that only a single user gets: no beside another, yes alone.
    const Descriptor file(::openat(root_.get(), kProbeSource.data(), O_RDWR | O_CLOEXEC));
    const Descriptor reader(::openat(root_.get(), kProbeSource.data(), O_RDONLY | O_CLOEXEC));
    can = can && file.valid() && reader.valid() && ::fcntl(file.get(), F_SETLEASE, F_WRLCK) != 0 &&
          errno == EAGAIN;
  }
  {
    const Descriptor file(::openat(root_.get(), kProbeSource.data(), O_RDWR | O_CLOEXEC));
    can = can && file.valid() && ::fcntl(file.get(), F_SETLEASE, F_WRLCK) == 0 &&
          ::fcntl(file.get(), F_SETLEASE, F_UNLCK) == 0;
  }
  ::unlinkat(root_.get(), kProbeSource.data(), 0);
  return can;
}

Status BlobDirectory::SyncFileSystem() const {
  if (::syncfs(root_.get()) != 0) return Error::FromErrno(errno, "syncfs");
  return Ok();
}

}  // namespace amphora::fs
