#include "fs/data/local_blobs.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fs/data/blob_directory.h"
#include "fs/data/blob_pool.h"
#include "fs/data/local_blob.h"
#include "meta/base/failpoint.h"
#include "meta/base/metrics.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kCopyBytes = 1 << 20;

class LocalBlobs final : public BlobStore, public BlobHealth {
 public:
  LocalBlobs(std::unique_ptr<BlobDirectory> directory, IdSource& ids)
      : directory_(std::move(directory)),
        pool_(*directory_, ids),
        reflink_(directory_->ProbeReflink()),
        exchange_(directory_->ProbeExchange()),
        lease_(directory_->ProbeLease()) {}

  Result<std::shared_ptr<Blob>> Take() override;
  Result<std::shared_ptr<Blob>> Open(BlobId blob) override;
  Result<std::shared_ptr<Blob>> Clone(Blob& source, std::uint64_t length) override;
  Result<std::uint64_t> CopyRange(Blob& source, std::uint64_t offset, Blob& target,
                                  std::uint64_t target_offset, std::uint64_t length) override;
  Status Exchange(Blob& one, Blob& other) override;
  bool CanExchange() const override { return exchange_; }
  Status Remove(BlobId blob) override { return directory_->Unlink(blob); }
  bool CanReflink() const override { return reflink_; }
  Result<std::optional<BlobFigures>> Find(BlobId blob) override;
  Status ForEach(BlobId begin, BlobId end, const std::function<Status(BlobId)>& visit) override {
    return directory_->ForEach(begin, end, visit);
  }
  Result<bool> HasForeignWriters(BlobId blob) override;
  bool CanPassThrough() const override { return lease_; }
  Status SyncAll() override;
  Status Drain() override { return pool_.Drain(); }

  bool IsPoisoned(BlobId blob) override {
    std::lock_guard lock(mutex_);
    return poisoned_.contains(blob);
  }

  void Poison(BlobId blob) override {
    std::lock_guard lock(mutex_);
    poisoned_.insert(blob);
  }

 private:
  // Registers an open file as *the* object of its blob; the last user's release closes it.
  std::shared_ptr<Blob> Adopt(BlobId blob, Descriptor file);

  std::unique_ptr<BlobDirectory> directory_;
  BlobPool pool_;
  const bool reflink_;
  const bool exchange_;
  const bool lease_;
  std::mutex mutex_;
  std::unordered_map<BlobId, std::weak_ptr<Blob>> open_;  // guarded by mutex_
  std::unordered_set<BlobId> poisoned_;                   // guarded by mutex_
};

std::shared_ptr<Blob> LocalBlobs::Adopt(BlobId blob, Descriptor file) {
  // The deleter forgets the entry, unless a later opener has put its own there already.
  auto object =
      std::shared_ptr<Blob>(new LocalBlob(blob, std::move(file), *this), [this](Blob* released) {
        {
          std::lock_guard lock(mutex_);
          const auto found = open_.find(released->id());
          if (found != open_.end() && found->second.expired()) open_.erase(found);
        }
        delete released;
      });
  open_[blob] = object;
  return object;
}

Result<std::shared_ptr<Blob>> LocalBlobs::Take() {
  AMPHORA_ASSIGN(auto taken, pool_.Take());
  std::lock_guard lock(mutex_);
  return Adopt(taken.first, std::move(taken.second));
}

Result<std::shared_ptr<Blob>> LocalBlobs::Open(BlobId blob) {
  std::lock_guard lock(mutex_);
  if (const auto found = open_.find(blob); found != open_.end()) {
    if (auto object = found->second.lock()) return object;
  }
  if (poisoned_.contains(blob)) {
    return Error(ErrorCode::kPoisoned, "an earlier sync of this content failed");
  }
  AMPHORA_ASSIGN(Descriptor file, directory_->OpenFile(blob, O_RDWR));
  if (!file.valid()) return Error(ErrorCode::kCorrupt, "a row names a blob that is missing");
  return Adopt(blob, std::move(file));
}

// copy_file_range(2) over [offset, offset + length), or by bytes where the disk refuses it. Answers
// how much was copied: less only at the end of the source.
Result<std::uint64_t> CopyBytes(Blob& source, std::uint64_t offset, Blob& target,
                                std::uint64_t target_offset, std::uint64_t length) {
  std::uint64_t done = 0;
  while (done < length) {
    auto from = static_cast<off64_t>(offset + done);
    auto to = static_cast<off64_t>(target_offset + done);
    const ssize_t copied =
        ::copy_file_range(source.descriptor(), &from, target.descriptor(), &to, length - done, 0);
    if (copied > 0) {
      done += static_cast<std::uint64_t>(copied);
      continue;
    }
    if (copied == 0) return done;
    if (errno == EINTR) continue;
    if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS) {
      return Error::FromErrno(errno, "copying a blob");
    }
    break;
  }
  std::vector<std::byte> buffer(std::min<std::uint64_t>(kCopyBytes, length - done));
  while (done < length) {
    const std::size_t want = std::min<std::uint64_t>(buffer.size(), length - done);
    AMPHORA_ASSIGN(const std::size_t got,
                   source.Read(offset + done, std::span(buffer).first(want)));
    if (got == 0) return done;
    AMPHORA_TRY(target.Write(target_offset + done, std::span(buffer).first(got)));
    done += got;
  }
  return done;
}

// A blob's file that stays what it is for as long as this lives, whatever Exchange wants. Its own
// object, so that what reads it step by step takes no lock twice.
class StillBlob {
 public:
  StillBlob(Blob& blob, BlobHealth& health)
      : held_(static_cast<LocalBlob&>(blob).Hold()),
        still_(blob.id(), Descriptor(::fcntl(held_.second, F_DUPFD_CLOEXEC, 0)), health) {}
  LocalBlob& operator*() { return still_; }

 private:
  const LocalBlob::HeldFile held_;
  LocalBlob still_;
};

// Copies only what is data, so that a sparse file stays sparse.
Status CopySparse(Blob& source, Blob& target, std::uint64_t length) {
  std::uint64_t at = 0;
  while (at < length) {
    const auto data = source.SeekData(at);
    if (data.Is(ErrorCode::kOutOfRange)) break;
    if (!data.ok()) return data.error();
    if (*data >= length) break;
    AMPHORA_ASSIGN(const std::uint64_t hole, source.SeekHole(*data));
    const std::uint64_t end = std::min(hole, length);
    AMPHORA_TRY(CopyBytes(source, *data, target, *data, end - *data));
    at = end;
  }
  return target.Truncate(length);
}

Result<std::shared_ptr<Blob>> LocalBlobs::Clone(Blob& blob, std::uint64_t length) {
  AMPHORA_TRY(Failpoint("fs.blob.clone"));
  StillBlob still(blob, *this);
  Blob& source = *still;
  AMPHORA_ASSIGN(auto target, Take());
  Status copied = Ok();
  if (reflink_ && ::ioctl(target->descriptor(), FICLONE, source.descriptor()) == 0) {
    AMPHORA_ASSIGN(const BlobFigures figures, target->Figures());
    if (figures.size != length) copied = target->Truncate(length);
  } else {
    copied = CopySparse(source, *target, length);
  }
  if (copied.ok()) return target;
  // Nobody will name it. If this fails too, start-up finds it among the unsettled ids.
  (void)Remove(target->id());
  return copied.error();
}

Result<std::uint64_t> LocalBlobs::CopyRange(Blob& blob, std::uint64_t offset, Blob& target,
                                            std::uint64_t target_offset, std::uint64_t length) {
  StillBlob still(blob, *this);
  Blob& source = *still;
  AMPHORA_ASSIGN(const BlobFigures figures, source.Figures());
  if (offset >= figures.size) return std::uint64_t{0};
  length = std::min(length, figures.size - offset);
  if (reflink_ && source.id() != target.id()) {
    file_clone_range range{.src_fd = source.descriptor(),
                           .src_offset = offset,
                           .src_length = length,
                           .dest_offset = target_offset};
    if (::ioctl(target.descriptor(), FICLONERANGE, &range) == 0) return length;
  }
  return CopyBytes(source, offset, target, target_offset, length);
}

Status LocalBlobs::Exchange(Blob& one, Blob& other) {
  if (IsPoisoned(one.id()) || IsPoisoned(other.id())) {
    return Error(ErrorCode::kPoisoned, "an earlier sync of this content failed");
  }
  auto& first = static_cast<LocalBlob&>(one);
  auto& second = static_cast<LocalBlob&>(other);
  const auto exchange = [&] {
    return LocalBlob::Swap(first, second, [&]() -> Status {
      std::lock_guard lock(mutex_);  // nobody opens a file between its two names
      return directory_->Exchange(one.id(), other.id());
    });
  };
  AMPHORA_TRY(exchange());
  const Status synced = directory_->SyncNames(one.id(), other.id());
  if (synced.ok() || exchange().ok()) return synced;
  for (LocalBlob* blob : {&first, &second}) blob->Poison();
  return synced;
}

Result<std::optional<BlobFigures>> LocalBlobs::Find(BlobId blob) {
  AMPHORA_ASSIGN(const Descriptor file, directory_->OpenFile(blob, O_PATH));
  if (!file.valid()) return std::optional<BlobFigures>();
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return Error::FromErrno(errno, "fstat of a blob");
  return std::optional<BlobFigures>(
      {.size = static_cast<std::uint64_t>(status.st_size),
       .allocated = static_cast<std::uint64_t>(status.st_blocks) * 512,
       .modified = Time::FromTimespec(status.st_mtim),
       .changed = Time::FromTimespec(status.st_ctim)});
}

Result<bool> LocalBlobs::HasForeignWriters(BlobId blob) {
  // Held over the probe: no Open of ours may meet the lease.
  std::lock_guard lock(mutex_);
  if (const auto found = open_.find(blob); found != open_.end() && !found->second.expired()) {
    return Error(ErrorCode::kBusy, "the blob is open here");
  }
  AMPHORA_ASSIGN(const Descriptor file, directory_->OpenFile(blob, O_RDONLY));
  if (!file.valid()) return false;
  // A lease that is broken sends SIGIO, which ends a process; SIGURG is ignored by default.
  if (::fcntl(file.get(), F_SETSIG, SIGURG) != 0) return Error::FromErrno(errno, "F_SETSIG");
  if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(file.get(), F_SETLEASE, F_UNLCK);
    return false;
  }
  if (errno == EAGAIN) return true;
  // No leases on this file system (or not our file): nothing can be known, so nobody is assumed
  // gone.
  return Error::FromErrno(errno, "F_SETLEASE of a blob");
}

Status LocalBlobs::SyncAll() {
  Count(Counter::kBlobSyncs);
  if (FailpointSkips("fs.blob.sync")) return Ok();
  AMPHORA_TRY(Failpoint("fs.blob.sync"));
  return directory_->SyncFileSystem();
}

}  // namespace

Result<std::unique_ptr<BlobStore>> OpenLocalBlobs(const std::string& directory,
                                                  IdSource& blob_ids) {
  AMPHORA_ASSIGN(auto names, BlobDirectory::Open(directory));
  return std::unique_ptr<BlobStore>(new LocalBlobs(std::move(names), blob_ids));
}

}  // namespace amphora::fs
