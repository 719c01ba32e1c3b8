// Where the parts of multipart uploads are written, so that Complete of equal-sized parts has
// nothing to move: one *slotted* blob per upload, in which part n has the slot (n - 1) * slot size.
//
// The slot size is learnt from the sizes that parts announce: the greatest one so far, since every
// part but the last has it. A greater one than before begins a new slotted blob. A part whose size
// is unknown, that fits no slot, or whose slot was used, gets a blob of its own. A slot is written
// by one writer only, and never after a part's row named it (hazards section 5).
//
// A slotted blob is held by an 'H' row before the first slot is given out, so a crash leaves no
// blob that nobody knows. What is known here is lost with the process: the next part begins a new
// one.
//
// Thread-safe. `writing` of a slotted blob is shared by those who write into slots and taken
// exclusively by Complete, which must know that nobody writes behind the object's end. It ranks
// before row locks.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "fs/data/blob_store.h"
#include "fs/data/fair_shared_mutex.h"
#include "fs/keys.h"
#include "fs/types.h"

namespace amphora::fs {

class Core;

struct SlottedBlob {
  BlobId id;
  std::uint64_t slot_bytes = 0;
  FairSharedMutex writing;
  bool ended = false;  // guarded by writing: the upload is over
  std::mutex mutex;
  std::set<std::uint32_t> taken;  // guarded by mutex: part numbers
};

// Room for one part. Given back when it is destroyed, unless kept.
class PartPlace {
 public:
  PartPlace(Core& core, std::shared_ptr<Blob> own);
  PartPlace(std::shared_ptr<SlottedBlob> slotted, std::shared_ptr<Blob> blob, std::uint32_t number);
  ~PartPlace();
  PartPlace(const PartPlace&) = delete;
  PartPlace& operator=(const PartPlace&) = delete;

  // kNoSuchUpload once the upload is over; kInvalidArgument beyond the slot.
  Status Write(std::uint64_t offset, std::span<const std::byte> data);
  // fdatasync. Failpoint "fs.part.blob_sync".
  Status Sync();
  // A row names the bytes now.
  void Keep() { kept_ = true; }

  BlobId blob() const { return blob_->id(); }
  std::uint64_t offset() const { return offset_; }
  bool alone() const { return slotted_ == nullptr; }

 private:
  Core* const core_ = nullptr;  // of a blob of its own
  const std::shared_ptr<SlottedBlob> slotted_;
  const std::shared_ptr<Blob> blob_;
  const std::uint32_t number_ = 0;
  const std::uint64_t offset_ = 0;
  bool kept_ = false;
};

class PartPlaces {
 public:
  explicit PartPlaces(Core& core) : core_(core) {}

  struct Wanted {
    BucketId bucket;
    std::string_view key;
    UploadId upload;
    std::uint32_t number = 0;
    std::optional<std::uint64_t> size;
    bool slot_was_used = false;  // a row of this number stands
  };
  // kNoSuchUpload when the upload is gone.
  Result<std::unique_ptr<PartPlace>> Take(const Wanted& wanted);

  // While it lives, nobody writes into a slot of the upload.
  class Pause {
   public:
    explicit Pause(std::vector<std::shared_ptr<SlottedBlob>> blobs);
    // Nobody will write again.
    void End();

   private:
    std::vector<std::shared_ptr<SlottedBlob>> blobs_;
    std::vector<std::unique_lock<FairSharedMutex>> locks_;
  };
  Pause PauseWriters(UploadId upload);
  // The upload is over: whoever still writes gets kNoSuchUpload.
  void Forget(UploadId upload);

 private:
  struct Known {
    std::mutex mutex;
    std::vector<std::shared_ptr<SlottedBlob>> blobs;  // guarded by mutex: the newest last
  };
  std::shared_ptr<Known> Of(UploadId upload);
  Result<std::shared_ptr<SlottedBlob>> NewSlotted(const Wanted& wanted);
  Result<std::unique_ptr<PartPlace>> TakeSlot(const Wanted& wanted);

  Core& core_;
  std::mutex mutex_;
  std::unordered_map<UploadId, std::shared_ptr<Known>> uploads_;  // guarded by mutex_
};

}  // namespace amphora::fs
