// CopyObject: the destination's row names the source's blobs, in one transaction that finds the
// source as it was when its conditions were checked. A file that somebody writes is cloned instead.
//
// The copy keeps the source's ETag and checksum, also those of a multipart object, unless its bytes
// are read anyhow (docs/decisions/0021-etag-of-a-copy.md).

#include <array>
#include <utility>

#include "fs/core.h"
#include "fs/data/digests.h"
#include "fs/objects.h"
#include "fs/ops/copy_source.h"
#include "fs/ops/put_object.h"

namespace amphora::fs {
namespace {

class ObjectCopy {
 public:
  ObjectCopy(Core& core, const CopyRequest& request, CopySource& source)
      : core_(core), request_(request), source_(source) {}
  Result<CopyOutcome> Run();

 private:
  Status Digest();
  Status Decide(Tx& tx, NewObject& object) const;

  Core& core_;
  const CopyRequest& request_;
  CopySource& source_;
  std::string md5_;                         // when the bytes were read
  std::optional<ObjectChecksum> checksum_;  // likewise
};

// Small content is read, since that costs nothing; large content when another checksum is asked
// for.
Status ObjectCopy::Digest() {
  const SharedContent& content = source_.content();
  const std::optional<ObjectChecksum>& stored = source_.info().checksum;
  const bool in_blobs = content.kind == ContentKind::kBlob || content.kind == ContentKind::kExtents;
  const bool other = request_.checksum && (!stored || stored->kind != *request_.checksum ||
                                           stored->type != ChecksumType::kFullObject);
  if (in_blobs && !other) return Ok();
  const DigestKind kind =
      request_.checksum.value_or(stored ? stored->kind : DigestKind::kCrc64Nvme);
  const std::array<DigestKind, 2> kinds = {DigestKind::kMd5, kind};
  AMPHORA_ASSIGN(const Digests digests, source_.Digest(0, content.size, kinds));
  md5_ = digests[DigestKind::kMd5];
  checksum_ = {.kind = kind, .value = digests[kind]};
  return Ok();
}

Status ObjectCopy::Decide(Tx& tx, NewObject& object) const {
  AMPHORA_ASSIGN(InodeRecord row, source_.Verify(tx));
  const SharedContent& content = source_.content();
  object = {};
  object.content.kind = content.kind;
  object.content.inline_bytes = content.inline_bytes;
  object.content.size = content.size;
  if (content.kind == ContentKind::kBlob) object.content.blob = content.extents.front().blob;
  if (content.kind == ContentKind::kExtents) object.content.extents = content.extents;
  object.metadata = request_.replace_metadata ? *request_.replace_metadata : std::move(row.object);
  // What was read has an ETag and a checksum of its own, as AWS gives every copy.
  const bool known =
      md5_.empty() && row.content_stamp == content.content_stamp && !row.etag.empty();
  if (known) {
    object.etag = std::move(row.etag);
    object.checksum = std::move(row.checksum);
    object.parts = row.parts;
    object.part_runs = std::move(row.part_runs);
  }
  if (!md5_.empty() && !known) object.etag = md5_;
  if (checksum_) {
    object.checksum = checksum_;
  } else if (known && row.has_part_checksums) {
    AMPHORA_ASSIGN(auto checksums,
                   tx.kv().Get(Table::kRows, PartChecksumsKey(source_.inode()), Lock::kNone));
    if (checksums) object.part_checksums = std::move(*checksums);
  }
  return Ok();
}

Result<CopyOutcome> ObjectCopy::Run() {
  AMPHORA_TRY(Digest());
  auto stored =
      PutObject(core_, {.bucket = request_.bucket,
                        .key = request_.key,
                        .conditions = request_.conditions,
                        .caller = request_.caller,
                        .object = {},
                        .decide = [this](Tx& tx, NewObject& object) { return Decide(tx, object); },
                        .before_commit = "fs.copy.before_commit"});
  if (!stored.ok()) return stored.error();
  source_.Keep();
  return CopyOutcome{std::move(stored->info), stored->ticket};
}

}  // namespace

Result<CopyOutcome> Objects::Copy(const CopyRequest& request) {
  AMPHORA_TRY(CheckObjectKey(request.key));
  const bool onto_itself =
      request.bucket == request.source_bucket && request.key == request.source_key;
  if (onto_itself && !request.replace_metadata) {
    return Error(ErrorCode::kInvalidArgument, "a copy onto itself changes nothing");
  }
  return WithSource(core_, request.source_bucket, request.source_key, request.source_conditions,
                    [&](CopySource& source) { return ObjectCopy(core_, request, source).Run(); });
}

}  // namespace amphora::fs
