// UploadPart: the bytes of one part on their way to their place, then the part's row, which follows
// their fdatasync (hazards section 5). Whoever commits a part of a number last wins.

#include <array>
#include <utility>

#include "fs/bucket_states.h"
#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/data/digests.h"
#include "fs/data/part_places.h"
#include "fs/data/space_guard.h"
#include "fs/ops/upload_rows.h"
#include "meta/base/failpoint.h"

namespace amphora::fs {
namespace {

class PlacedPart final : public PartWriter {
 public:
  PlacedPart(Core& core, const BeginPartRequest& request, const FoundUpload& upload,
             bool slot_was_used, std::vector<DigestKind> kinds)
      : core_(core),
        name_(request.upload),
        info_(DescribeUpload(name_.key, upload.id, upload.record)),
        upload_(upload.id),
        number_(request.number),
        declared_size_(request.declared_size),
        slot_was_used_(slot_was_used),
        digests_(kinds) {}

  const UploadInfo& upload() const override { return info_; }
  std::uint64_t size() const override { return size_; }

  Status Append(std::span<const std::byte> data) override {
    if (data.empty()) return Ok();
    if (data.size() > kMaxPartBytes - size_) {
      return Error(ErrorCode::kFileTooLarge, "a part has at most 5 GiB");
    }
    if (place_ == nullptr) {
      AMPHORA_ASSIGN(place_, core_.part_places->Take({.bucket = name_.bucket,
                                                      .key = name_.key,
                                                      .upload = upload_,
                                                      .number = number_,
                                                      .size = declared_size_,
                                                      .slot_was_used = slot_was_used_}));
    }
    digests_.Update(data);
    AMPHORA_TRY(core_.space->Admit(data.size()));
    AMPHORA_TRY(place_->Write(size_, data));
    size_ += data.size();
    return Ok();
  }

  Result<PartOutcome> Commit(const Digests& expected) override;

 private:
  Core& core_;
  const UploadName name_;
  const UploadInfo info_;
  const UploadId upload_;
  const std::uint32_t number_;
  const std::optional<std::uint64_t> declared_size_;
  const bool slot_was_used_;
  DigestSet digests_;
  std::unique_ptr<PartPlace> place_;  // none until the first byte
  std::uint64_t size_ = 0;
  bool committed_ = false;
};

Result<PartOutcome> PlacedPart::Commit(const Digests& expected) {
  if (std::exchange(committed_, true)) {
    return Error(ErrorCode::kInvalidArgument, "a part commits once");
  }
  const Digests computed = digests_.Finish();
  AMPHORA_TRY(CheckDigests(expected, computed));
  PartRecord record;
  record.size = size_;
  record.etag = computed[DigestKind::kMd5];
  record.checksum = computed[info_.checksum];
  if (place_ != nullptr) {
    AMPHORA_TRY(place_->Sync());
    record.blob = place_->blob();
    record.blob_offset = place_->offset();
    record.alone = place_->alone();
  }
  const auto committed = core_.Run(OriginId(), [&](Tx& tx) -> Status {
    AMPHORA_TRY(FindUpload(tx, name_, Lock::kShared));
    record.modified = tx.now();
    AMPHORA_TRY(PutPart(tx, name_.bucket, upload_, number_, record));
    return Failpoint("fs.part.before_commit");
  });
  if (committed.Is(ErrorCode::kNoSuchUpload)) AMPHORA_TRY(FindUploadNow(core_, name_));
  if (!committed.ok()) return committed.error();
  if (place_ != nullptr) place_->Keep();
  core_.collector->Kick();  // an earlier part of this number may have had a blob
  AMPHORA_TRY(Failpoint("fs.part.after_commit"));
  return PartOutcome{DescribePart(number_, record), computed, committed->ticket};
}

}  // namespace

Result<std::unique_ptr<PartWriter>> Uploads::BeginPart(const BeginPartRequest& request) {
  AMPHORA_TRY(CheckPartNumber(request.number));
  if (request.declared_size.value_or(0) > kMaxPartBytes) {
    return Error(ErrorCode::kFileTooLarge, "a part has at most 5 GiB");
  }
  meta::Reader& newest = core_.store->Newest();
  AMPHORA_ASSIGN(const FoundUpload found, FindUploadNow(core_, request.upload));
  AMPHORA_ASSIGN(const auto earlier, newest.Get(Table::kRows, PartKey(found.id, request.number)));
  // Before the client sends what can't be kept; the transaction decides. A part that replaces an
  // earlier one grows by less than its size, so that one is let through.
  const auto size = static_cast<std::int64_t>(request.declared_size.value_or(0));
  if (!earlier && !core_.bucket_states->Find(request.upload.bucket)->HasRoomFor(size)) {
    return Error(ErrorCode::kQuotaExceeded, "the bucket's bytes");
  }
  std::vector<DigestKind> kinds = request.digests;
  kinds.push_back(DigestKind::kMd5);
  kinds.push_back(found.record.checksum);
  return std::unique_ptr<PartWriter>(
      std::make_unique<PlacedPart>(core_, request, found, earlier.has_value(), std::move(kinds)));
}

}  // namespace amphora::fs
