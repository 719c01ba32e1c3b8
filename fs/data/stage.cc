#include "fs/data/stage.h"

#include <algorithm>

#include "fs/core.h"
#include "fs/data/space_guard.h"
#include "meta/base/failpoint.h"
#include "meta/base/log_limit.h"

namespace amphora::fs {

ContentStage::ContentStage(Core& core, std::optional<std::uint64_t> declared_size)
    : core_(core), declared_size_(declared_size) {}

ContentStage::~ContentStage() {
  if (!blob_ || kept_) return;
  const Status removed = core_.blobs->Remove(blob_->id());
  // Start-up would find it among the unsettled ids.
  if (!removed.ok()) {
    LogLimited(LogLevel::kWarning, "event=blob_left",
               "event=blob_left " + removed.error().ToString());
  }
}

Status ContentStage::MoveToBlob() {
  AMPHORA_ASSIGN(blob_, core_.blobs->Take());
  const std::string memory = std::exchange(memory_, {});
  if (memory.empty()) return Ok();
  return blob_->Write(0, std::as_bytes(std::span(memory)));
}

Status ContentStage::Append(std::span<const std::byte> data) {
  if (finished_) return Error(ErrorCode::kInvalidArgument, "the content is finished");
  if (data.empty()) return Ok();
  AMPHORA_TRY(core_.space->Admit(data.size()));
  const std::size_t limit = core_.options.inline_limit;
  if (!blob_ && std::max(size_ + data.size(), declared_size_.value_or(0)) > limit) {
    AMPHORA_TRY(MoveToBlob());
  }
  if (blob_) {
    AMPHORA_TRY(blob_->Write(size_, data));
  } else {
    if (memory_.empty()) memory_.reserve(std::min<std::size_t>(declared_size_.value_or(0), limit));
    memory_.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  size_ += data.size();
  return Ok();
}

Result<StagedContent> ContentStage::Finish() {
  if (finished_) return Error(ErrorCode::kInvalidArgument, "the content is finished");
  finished_ = true;
  StagedContent content;
  content.size = size_;
  // Announced as large, but small in the end: what was written decides.
  if (blob_ && size_ <= core_.options.inline_limit) AMPHORA_TRY(TakeBack());
  if (blob_) {
    AMPHORA_TRY(Failpoint("fs.put.blob_sync"));
    AMPHORA_TRY(blob_->Sync());
    content.kind = ContentKind::kBlob;
    content.blob = blob_->id();
  } else if (size_ > 0) {
    content.kind = ContentKind::kInline;
    content.inline_bytes = std::move(memory_);
  }
  return content;
}

Status ContentStage::TakeBack() {
  std::string bytes(size_, '\0');
  AMPHORA_ASSIGN(const std::size_t got, blob_->Read(0, std::as_writable_bytes(std::span(bytes))));
  if (got != size_) return Error(ErrorCode::kIo, "a staged blob is shorter than written");
  AMPHORA_TRY(core_.blobs->Remove(blob_->id()));
  blob_.reset();
  memory_ = std::move(bytes);
  return Ok();
}

void ContentStage::Keep() { kept_ = true; }

}  // namespace amphora::fs
