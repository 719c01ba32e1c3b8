// UploadPartCopy: the part's row names the source's blob where the range lies in one; else the
// range is copied into the part's place, by reflink where the disk can. Bytes are read only for a
// checksum that the client chose, and of small files. A part whose bytes were not read has an ETag
// that is no MD5, unless it is the whole of a source whose MD5 is known.

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/data/digests.h"
#include "fs/data/part_places.h"
#include "fs/data/space_guard.h"
#include "fs/ops/copy_source.h"
#include "fs/ops/upload_rows.h"
#include "meta/base/encoding.h"
#include "meta/base/failpoint.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kCopyBytes = 1 << 20;

class PartCopy {
 public:
  PartCopy(Core& core, const CopyPartRequest& request, CopySource& source)
      : core_(core), request_(request), source_(source) {}
  Result<PartOutcome> Run();

 private:
  Status FindRange();
  Status Describe();
  Status Locate();
  Status CopyBytes();

  Core& core_;
  const CopyPartRequest& request_;
  CopySource& source_;
  FoundUpload upload_;
  ByteSpan range_;
  PartRecord part_;
  Digests computed_;
  std::unique_ptr<PartPlace> place_;  // when bytes were copied
};

Status PartCopy::FindRange() {
  range_ = request_.range.value_or(ByteSpan{0, source_.content().size});
  const std::uint64_t size = source_.content().size;
  if (range_.offset > size || range_.length > size - range_.offset) {
    return Error(ErrorCode::kOutOfRange, "the range ends behind the source");
  }
  if (range_.length > kMaxPartBytes) {
    return Error(ErrorCode::kFileTooLarge, "a part has at most 5 GiB");
  }
  part_.size = range_.length;
  return Ok();
}

// ETag and checksum.
Status PartCopy::Describe() {
  const bool in_blobs = source_.content().kind == ContentKind::kBlob ||
                        source_.content().kind == ContentKind::kExtents;
  const DigestKind kind = upload_.record.checksum;
  if (!in_blobs || upload_.record.checksum_chosen) {
    const std::array<DigestKind, 2> kinds = {DigestKind::kMd5, kind};
    AMPHORA_ASSIGN(computed_, source_.Digest(range_.offset, range_.length, kinds));
    part_.etag = computed_[DigestKind::kMd5];
    part_.checksum = computed_[kind];
    return Ok();
  }
  const ObjectInfo& info = source_.info();
  const bool whole =
      range_.offset == 0 && range_.length == source_.content().size && !source_.content().copy;
  const auto md5 = FromHex(info.etag);
  if (whole && md5) {
    part_.etag = *md5;
    const bool fits = info.checksum && info.checksum->kind == kind &&
                      info.checksum->type == ChecksumType::kFullObject;
    if (fits) part_.checksum = info.checksum->value;
    return Ok();
  }
  std::string named = info.etag;
  for (const std::uint64_t part :
       {source_.inode().value(), source_.content().content_stamp, range_.offset, range_.length}) {
    named.append("/").append(std::to_string(part));
  }
  DigestSet digests({{DigestKind::kMd5}});
  digests.Update(std::as_bytes(std::span(named)));
  part_.etag = digests.Finish()[DigestKind::kMd5];
  return Ok();
}

Status PartCopy::CopyBytes() {
  meta::Reader& newest = core_.store->Newest();
  AMPHORA_ASSIGN(const auto earlier,
                 newest.Get(Table::kRows, PartKey(upload_.id, request_.number)));
  AMPHORA_ASSIGN(place_, core_.part_places->Take({.bucket = request_.upload.bucket,
                                                  .key = request_.upload.key,
                                                  .upload = upload_.id,
                                                  .number = request_.number,
                                                  .size = range_.length,
                                                  .slot_was_used = earlier.has_value()}));
  std::vector<std::byte> buffer(std::min<std::uint64_t>(range_.length, kCopyBytes));
  for (std::uint64_t done = 0; done < range_.length;) {
    const std::span<std::byte> piece =
        std::span(buffer).first(std::min<std::uint64_t>(range_.length - done, buffer.size()));
    AMPHORA_TRY(source_.Read(range_.offset + done, piece));
    AMPHORA_TRY(core_.space->Admit(piece.size()));
    AMPHORA_TRY(place_->Write(done, piece));
    done += piece.size();
  }
  AMPHORA_TRY(place_->Sync());
  part_.blob = place_->blob();
  part_.blob_offset = place_->offset();
  part_.alone = place_->alone();
  return Ok();
}

// Where the part's bytes lie: in the source's blob, if one holds them all.
Status PartCopy::Locate() {
  if (range_.length == 0) return Ok();
  std::uint64_t begin = 0;
  for (const ExtentRecord& extent : source_.content().extents) {
    const std::uint64_t end = begin + extent.length;
    if (range_.offset >= begin && range_.offset + range_.length <= end) {
      AMPHORA_ASSIGN(const auto figures, core_.blobs->Find(extent.blob));
      const std::uint64_t offset = extent.blob_offset + (range_.offset - begin);
      // A sparse file may be longer than its blob: zeros that no extent can name.
      if (!figures || figures->size < offset + range_.length) break;
      part_.blob = extent.blob;
      part_.blob_offset = offset;
      part_.alone = source_.content().fresh != nullptr;
      return Ok();
    }
    begin = end;
  }
  return CopyBytes();
}

Result<PartOutcome> PartCopy::Run() {
  AMPHORA_ASSIGN(upload_, FindUpload(core_.store->Newest(), request_.upload));
  AMPHORA_TRY(FindRange());
  AMPHORA_TRY(Describe());
  AMPHORA_TRY(Locate());
  const auto committed = core_.Run(request_.caller.origin, [&](Tx& tx) -> Status {
    AMPHORA_TRY(FindUpload(tx, request_.upload, Lock::kShared));
    AMPHORA_TRY(source_.Verify(tx));
    part_.modified = tx.now();
    AMPHORA_TRY(PutPart(tx, request_.upload.bucket, upload_.id, request_.number, part_));
    return Failpoint("fs.part.before_commit");
  });
  if (!committed.ok()) return committed.error();
  if (place_ != nullptr) {
    place_->Keep();
  } else {
    source_.Keep();
  }
  core_.collector->Kick();
  return PartOutcome{DescribePart(request_.number, part_), computed_, committed->ticket};
}

}  // namespace

Result<PartOutcome> Uploads::CopyPart(const CopyPartRequest& request) {
  AMPHORA_TRY(CheckPartNumber(request.number));
  AMPHORA_TRY(FindUploadNow(core_, request.upload));
  return WithSource(core_, request.source_bucket, request.source_key, request.source_conditions,
                    [&](CopySource& source) { return PartCopy(core_, request, source).Run(); });
}

}  // namespace amphora::fs
