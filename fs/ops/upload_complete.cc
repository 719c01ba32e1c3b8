// CompleteMultipartUpload: one transaction that checks the list of parts against their rows, makes
// the object of them and ends the upload. Parts that lie behind each other in one blob, as equal
// sized ones do, are that blob; else the object has extents, which a background job joins.
//
// The hard part: a part that is not in the list may still be on its way into a slot of the very
// blob that becomes the object. So writers are paused from before the look at the blob's length
// until the end; after it, they are told that the upload is gone.

#include <algorithm>
#include <utility>

#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/data/digests.h"
#include "fs/data/part_places.h"
#include "fs/ops/describe.h"
#include "fs/ops/put_object.h"
#include "fs/ops/resolve_key.h"
#include "fs/ops/upload_finished.h"
#include "fs/ops/upload_rows.h"
#include "meta/base/encoding.h"
#include "meta/base/failpoint.h"

namespace amphora::fs {
namespace {

Status CheckList(const CompleteRequest& request) {
  if (request.parts.empty()) return Error(ErrorCode::kInvalidArgument, "no parts");
  if (request.parts.size() > kMaxParts) return Error(ErrorCode::kInvalidArgument, "too many parts");
  for (std::size_t i = 1; i < request.parts.size(); ++i) {
    if (request.parts[i].number <= request.parts[i - 1].number) {
      return Error(ErrorCode::kInvalidPartOrder);
    }
  }
  return Ok();
}

// The list against the rows; the rows of the parts that it names.
Result<std::vector<PartRecord>> PickParts(const CompleteRequest& request,
                                          std::vector<NumberedPart> stored,
                                          std::uint64_t min_part_bytes) {
  std::vector<PartRecord> picked;
  auto at = stored.begin();
  for (const CompletedPart& part : request.parts) {
    while (at != stored.end() && at->number < part.number) ++at;
    if (at == stored.end() || at->number != part.number) return Error(ErrorCode::kInvalidPart);
    if (ToHex(at->record.etag) != part.etag) return Error(ErrorCode::kInvalidPart, "ETag");
    if (part.checksum && *part.checksum != at->record.checksum) {
      return Error(ErrorCode::kInvalidPart, "checksum");
    }
    picked.push_back(std::move(at->record));
  }
  for (std::size_t i = 0; i + 1 < picked.size(); ++i) {
    if (picked[i].size < min_part_bytes) return Error(ErrorCode::kPartTooSmall);
  }
  return picked;
}

// md5(md5 of part 1, md5 of part 2, …)-N (as AWS does since multipart uploads exist).
std::string MultipartEtag(std::string_view part_etags, std::size_t parts) {
  DigestSet digests({{DigestKind::kMd5}});
  digests.Update(std::as_bytes(std::span(part_etags)));
  return ToHex(digests.Finish()[DigestKind::kMd5]) + "-" + std::to_string(parts);
}

std::optional<ObjectChecksum> ChecksumOf(const UploadRecord& upload,
                                         const std::vector<PartRecord>& parts) {
  const bool known =
      std::ranges::none_of(parts, [](const PartRecord& part) { return part.checksum.empty(); });
  if (!known) return std::nullopt;  // one was copied by reference, and nobody asked for a checksum
  ObjectChecksum checksum{.kind = upload.checksum, .type = upload.checksum_type, .value = {}};
  if (upload.checksum_type == ChecksumType::kComposite) {
    DigestSet digests({{upload.checksum}});
    for (const PartRecord& part : parts) digests.Update(std::as_bytes(std::span(part.checksum)));
    checksum.value = digests.Finish()[upload.checksum];
    checksum.parts = static_cast<std::uint32_t>(parts.size());
    return checksum;
  }
  checksum.value = parts[0].checksum;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    checksum.value = CombineCrcs(upload.checksum, checksum.value, parts[i].checksum, parts[i].size);
  }
  return checksum;
}

// One behind the other, neighbours in one blob as one.
std::vector<ExtentRecord> ExtentsOf(const std::vector<PartRecord>& parts) {
  std::vector<ExtentRecord> extents;
  for (const PartRecord& part : parts) {
    if (part.size == 0) continue;
    const bool follows = !extents.empty() && extents.back().blob == part.blob &&
                         extents.back().blob_offset + extents.back().length == part.blob_offset;
    if (follows) {
      extents.back().length += part.size;
    } else {
      extents.push_back({part.blob, part.blob_offset, part.size});
    }
  }
  return extents;
}

// Nothing when the sizes change so often that the row would grow.
std::vector<PartRun> RunsOf(const std::vector<PartRecord>& parts) {
  std::vector<PartRun> runs;
  for (const PartRecord& part : parts) {
    if (runs.empty() || runs.back().size != part.size) runs.push_back({.size = part.size});
    ++runs.back().count;
    if (runs.size() > kMaxPartRuns) return {};
  }
  return runs;
}

class Completion {
 public:
  Completion(Core& core, const CompleteRequest& request) : core_(core), request_(request) {}
  Result<CompleteOutcome> Run();

 private:
  Status Decide(Tx& tx, NewObject& object);
  Status ChooseContent(std::vector<ExtentRecord> extents, StagedContent& content) const;
  Status CheckExpectations(const NewObject& object) const;
  Result<CompleteOutcome> AnswerAgain();

  Core& core_;
  const CompleteRequest& request_;
};

// The writers are paused: the blob's length stands.
Status Completion::ChooseContent(std::vector<ExtentRecord> extents, StagedContent& content) const {
  if (content.size == 0) {
    content.kind = ContentKind::kEmpty;
    return Ok();
  }
  if (extents.size() == 1 && extents[0].blob_offset == 0) {
    AMPHORA_ASSIGN(const auto figures, core_.blobs->Find(extents[0].blob));
    if (!figures) return Error(ErrorCode::kCorrupt, "a part's blob is missing");
    // What is longer holds a part that the list leaves out.
    if (figures->size == content.size) {
      content.kind = ContentKind::kBlob;
      content.blob = extents[0].blob;
      return Ok();
    }
  }
  content.kind = ContentKind::kExtents;
  content.extents = std::move(extents);
  return Ok();
}

Status Completion::CheckExpectations(const NewObject& object) const {
  if (request_.expected_size && *request_.expected_size != object.content.size) {
    return Error(ErrorCode::kInvalidArgument, "the parts add up to another size");
  }
  if (!request_.expected_checksum) return Ok();
  const ObjectChecksum& expected = *request_.expected_checksum;
  if (!object.checksum || object.checksum->kind != expected.kind) {
    return Error(ErrorCode::kInvalidArgument, "the upload has another checksum");
  }
  if (object.checksum->value != expected.value) return Error(ErrorCode::kBadDigest, "checksum");
  return Ok();
}

Status Completion::Decide(Tx& tx, NewObject& object) {
  object = {};
  AMPHORA_ASSIGN(FoundUpload upload, FindUpload(tx, request_.upload, Lock::kExclusive));
  if (request_.expected_type && *request_.expected_type != upload.record.checksum_type) {
    return Error(ErrorCode::kInvalidArgument, "the upload has another checksum type");
  }
  AMPHORA_ASSIGN(auto stored, ReadParts(tx.kv(), upload.id, 0, kMaxParts));
  AMPHORA_ASSIGN(const auto parts,
                 PickParts(request_, std::move(stored), core_.options.min_part_bytes));
  std::string etags;
  for (const PartRecord& part : parts) {
    etags.append(part.etag);
    object.content.size += part.size;
  }
  if (object.content.size > kMaxObjectBytes) {
    return Error(ErrorCode::kFileTooLarge, "an object has at most 5 TiB");
  }
  AMPHORA_TRY(ChooseContent(ExtentsOf(parts), object.content));
  object.metadata = std::move(upload.record.object);
  object.etag = MultipartEtag(etags, parts.size());
  object.checksum = ChecksumOf(upload.record, parts);
  object.parts = static_cast<std::uint32_t>(parts.size());
  object.part_runs = RunsOf(parts);
  object.upload = upload.id.value();
  // One over all bytes is made of the parts' and shown without them (S3: GetObjectAttributes).
  if (object.checksum && object.checksum->type == ChecksumType::kComposite) {
    for (const PartRecord& part : parts) object.part_checksums.append(part.checksum);
  }
  AMPHORA_TRY(CheckExpectations(object));
  AMPHORA_TRY(NoteFinished(tx, request_.upload, upload, object));
  AMPHORA_ASSIGN(object.content.given,
                 EraseUpload(tx, request_.upload.bucket, request_.upload.key, upload.id));
  return Ok();
}

// The upload is gone. If the object is still what it made, and of these parts, or that is on
// record, then this is the same request once more.
Result<CompleteOutcome> Completion::AnswerAgain() {
  const auto upload = ParseUploadId(request_.upload.id);
  if (!upload) return Error(ErrorCode::kNoSuchUpload);
  std::string etags;
  for (const CompletedPart& part : request_.parts) {
    const auto raw = FromHex(part.etag);
    if (!raw) return Error(ErrorCode::kNoSuchUpload);
    etags.append(*raw);
  }
  const std::string etag = MultipartEtag(etags, request_.parts.size());
  const auto snapshot = core_.store->Snapshot();
  AMPHORA_ASSIGN(auto finished, FindFinished(*snapshot, request_.upload));
  if (finished && finished->etag == etag) {
    return CompleteOutcome{std::move(*finished), core_.store->LastTicket()};
  }
  AMPHORA_ASSIGN(const auto found,
                 FindObject(*snapshot, request_.upload.bucket, SplitKey(request_.upload.key)));
  const bool same = found && found->record.upload == upload->value() && found->record.etag == etag;
  const Ticket ticket = core_.store->LastTicket();
  if (same) {
    return CompleteOutcome{
        DescribeObject(request_.upload.key, found->inode, found->record, Detail::kFull), ticket};
  }
  // Somebody's Complete or Abort is the reason (hazards 5.9).
  AMPHORA_TRY(core_.store->WaitDurable(ticket));
  return Error(ErrorCode::kNoSuchUpload);
}

Result<CompleteOutcome> Completion::Run() {
  AMPHORA_TRY(CheckList(request_));
  auto found = FindUpload(core_.store->Newest(), request_.upload);
  if (found.Is(ErrorCode::kNoSuchUpload)) return AnswerAgain();
  if (!found.ok()) return found.error();
  PartPlaces::Pause pause = core_.part_places->PauseWriters(found->id);
  const Caller initiator{found->record.uid, found->record.gid, request_.caller.origin};
  auto stored =
      PutObject(core_, {.bucket = request_.upload.bucket,
                        .key = request_.upload.key,
                        .conditions = request_.conditions,
                        .caller = initiator,
                        .object = {},
                        .decide = [this](Tx& tx, NewObject& object) { return Decide(tx, object); },
                        .before_commit = "fs.complete.before_commit"});
  if (stored.Is(ErrorCode::kNoSuchUpload)) {
    core_.part_places->Forget(found->id);
    return AnswerAgain();
  }
  if (!stored.ok()) return stored.error();
  pause.End();
  core_.part_places->Forget(found->id);
  core_.collector->Kick();
  AMPHORA_TRY(Failpoint("fs.complete.after_commit"));
  return CompleteOutcome{std::move(stored->info), stored->ticket};
}

}  // namespace

Result<CompleteOutcome> Uploads::Complete(const CompleteRequest& request) {
  return Completion(core_, request).Run();
}

}  // namespace amphora::fs
