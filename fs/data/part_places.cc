#include "fs/data/part_places.h"

#include <utility>

#include "fs/core.h"
#include "fs/tx.h"
#include "fs/uploads.h"
#include "meta/base/failpoint.h"
#include "meta/base/log_limit.h"

namespace amphora::fs {

PartPlace::PartPlace(Core& core, std::shared_ptr<Blob> own) : core_(&core), blob_(std::move(own)) {}

PartPlace::PartPlace(std::shared_ptr<SlottedBlob> slotted, std::shared_ptr<Blob> blob,
                     std::uint32_t number)
    : slotted_(std::move(slotted)),
      blob_(std::move(blob)),
      number_(number),
      offset_((number - 1) * slotted_->slot_bytes) {}

PartPlace::~PartPlace() {
  if (kept_) return;
  if (slotted_ != nullptr) {
    std::lock_guard lock(slotted_->mutex);
    slotted_->taken.erase(number_);
    return;
  }
  const Status removed = core_->blobs->Remove(blob_->id());
  // Start-up would find it among the unsettled ids.
  if (!removed.ok()) {
    LogLimited(LogLevel::kWarning, "event=blob_left",
               "event=blob_left " + removed.error().ToString());
  }
}

Status PartPlace::Write(std::uint64_t offset, std::span<const std::byte> data) {
  if (slotted_ == nullptr) return blob_->Write(offset, data);
  if (offset + data.size() > slotted_->slot_bytes) {
    return Error(ErrorCode::kInvalidArgument, "a part is longer than announced");
  }
  std::shared_lock lock(slotted_->writing);
  if (slotted_->ended) return Error(ErrorCode::kNoSuchUpload);
  return blob_->Write(offset_ + offset, data);
}

Status PartPlace::Sync() {
  AMPHORA_TRY(Failpoint("fs.part.blob_sync"));
  return blob_->Sync();
}

std::shared_ptr<PartPlaces::Known> PartPlaces::Of(UploadId upload) {
  std::lock_guard lock(mutex_);
  auto& known = uploads_[upload];
  if (known == nullptr) known = std::make_shared<Known>();
  return known;
}

// Empty, with a durable name, and held by the upload before anybody writes into it.
Result<std::shared_ptr<SlottedBlob>> PartPlaces::NewSlotted(const Wanted& wanted) {
  AMPHORA_ASSIGN(const auto blob, core_.blobs->Take());
  const auto committed = core_.Run(OriginId(), [&](Tx& tx) -> Status {
    const std::string row = UploadKey(wanted.bucket, wanted.key, wanted.upload);
    AMPHORA_ASSIGN(const auto upload, tx.kv().Get(Table::kRows, row, Lock::kShared));
    if (!upload) return Error(ErrorCode::kNoSuchUpload);
    AMPHORA_TRY(tx.AddBlobReference(blob->id()));
    return tx.kv().PutFresh(Table::kRows, UploadBlobKey(wanted.upload, blob->id()), "");
  });
  if (!committed.ok()) {
    (void)core_.blobs->Remove(blob->id());
    if (committed.Is(ErrorCode::kNoSuchUpload)) Forget(wanted.upload);
    return committed.error();
  }
  auto slotted = std::make_shared<SlottedBlob>();
  slotted->id = blob->id();
  slotted->slot_bytes = *wanted.size;
  return slotted;
}

// Null: the part fits no slot.
Result<std::unique_ptr<PartPlace>> PartPlaces::TakeSlot(const Wanted& wanted) {
  const auto known = Of(wanted.upload);
  std::shared_ptr<SlottedBlob> slotted;
  {
    std::lock_guard lock(known->mutex);
    if (!known->blobs.empty()) slotted = known->blobs.back();
    const bool teaches = wanted.number == 1 || *wanted.size >= core_.options.min_part_bytes;
    if (teaches && (!slotted || *wanted.size > slotted->slot_bytes)) {
      AMPHORA_ASSIGN(slotted, NewSlotted(wanted));
      known->blobs.push_back(slotted);
    }
  }
  if (!slotted || *wanted.size > slotted->slot_bytes) return std::unique_ptr<PartPlace>();
  {
    std::lock_guard lock(slotted->mutex);
    if (!slotted->taken.insert(wanted.number).second) return std::unique_ptr<PartPlace>();
  }
  auto blob = core_.blobs->Open(slotted->id);
  if (blob.ok()) return std::make_unique<PartPlace>(slotted, std::move(*blob), wanted.number);
  std::lock_guard lock(slotted->mutex);
  slotted->taken.erase(wanted.number);
  return blob.error();
}

Result<std::unique_ptr<PartPlace>> PartPlaces::Take(const Wanted& wanted) {
  if (!wanted.slot_was_used && wanted.size.value_or(0) > 0) {
    AMPHORA_ASSIGN(auto slot, TakeSlot(wanted));
    if (slot) return slot;
  }
  AMPHORA_ASSIGN(auto blob, core_.blobs->Take());
  return std::make_unique<PartPlace>(core_, std::move(blob));
}

PartPlaces::Pause::Pause(std::vector<std::shared_ptr<SlottedBlob>> blobs)
    : blobs_(std::move(blobs)) {
  for (const auto& blob : blobs_) locks_.emplace_back(blob->writing);
}

void PartPlaces::Pause::End() {
  for (const auto& blob : blobs_) blob->ended = true;
}

PartPlaces::Pause PartPlaces::PauseWriters(UploadId upload) {
  const auto known = Of(upload);
  std::vector<std::shared_ptr<SlottedBlob>> blobs;
  {
    std::lock_guard lock(known->mutex);
    blobs = known->blobs;
  }
  return Pause(std::move(blobs));
}

void PartPlaces::Forget(UploadId upload) {
  std::lock_guard lock(mutex_);
  uploads_.erase(upload);
}

}  // namespace amphora::fs
