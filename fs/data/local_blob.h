// One blob of the local store: an open file. Thread-safe; the kernel orders overlapping writes.
#pragma once

#include <atomic>
#include <shared_mutex>

#include "fs/data/blob_store.h"
#include "fs/data/descriptor.h"
#include "fs/data/fair_shared_mutex.h"

namespace amphora::fs {

// What is known of a blob beyond one open file of it. Thread-safe.
class BlobHealth {
 public:
  virtual ~BlobHealth() = default;
  // A sync failed: what the disk holds is unknown, and no later success may cover it
  // (hazards 5.10).
  virtual void Poison(BlobId blob) = 0;
};

class LocalBlob final : public Blob {
 public:
  LocalBlob(BlobId id, Descriptor file, BlobHealth& health)
      : id_(id), file_(std::move(file)), health_(health) {}

  BlobId id() const override { return id_; }
  Result<std::size_t> Read(std::uint64_t offset, std::span<std::byte> buffer) override;
  Status Write(std::uint64_t offset, std::span<const std::byte> data) override;
  Status Truncate(std::uint64_t size) override;
  Status Allocate(std::uint64_t offset, std::uint64_t length, bool keep_size) override;
  Status Punch(std::uint64_t offset, std::uint64_t length) override;
  Status Zero(std::uint64_t offset, std::uint64_t length, bool keep_size) override;
  Result<std::uint64_t> SeekData(std::uint64_t offset) override;
  Result<std::uint64_t> SeekHole(std::uint64_t offset) override;
  Result<BlobFigures> Figures() override;
  Status Sync() override;
  int descriptor() const override;
  Result<bool> IsUsedElsewhere() override;
  void Poison() override;

  // While the first lives, the second is this blob's file, and no Exchange happens.
  using HeldFile = std::pair<std::shared_lock<FairSharedMutex>, int>;
  HeldFile Hold() const;
  // The files of both change places; `names` does the same for their names and is run when nobody
  // reads either. Its failure is answered and nothing changes.
  template <typename Names>
  static Status Swap(LocalBlob& one, LocalBlob& other, Names&& names) {
    std::scoped_lock lock(one.mutex_, other.mutex_);
    AMPHORA_TRY(names());
    std::swap(one.file_, other.file_);
    return Ok();
  }

 private:
  Status CheckHealthy() const;
  Status Fallocate(int mode, std::uint64_t offset, std::uint64_t length);
  Result<std::uint64_t> Seek(std::uint64_t offset, int whence);

  const BlobId id_;
  mutable FairSharedMutex mutex_;
  Descriptor file_;  // guarded by mutex_: held shared over each call of the system
  BlobHealth& health_;
  std::atomic<bool> poisoned_{false};
};

}  // namespace amphora::fs
