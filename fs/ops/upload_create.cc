// CreateMultipartUpload and AbortMultipartUpload.
//
// The guard rule: an upload is a child of its bucket, so Create takes the bucket's inode row
// shared, and DeleteBucket, which frees the uploads of an empty bucket as AWS does, takes it
// exclusively. Abort and Complete take the upload's row exclusively: of two, one finds it gone.

#include <openssl/rand.h>

#include <utility>

#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/data/part_places.h"
#include "fs/ops/resolve_key.h"
#include "fs/ops/upload_rows.h"
#include "meta/base/failpoint.h"

namespace amphora::fs {
namespace {

Status CheckChecksum(const CreateUploadRequest& request) {
  if (!request.checksum) return Ok();
  const bool composite = request.checksum_type == ChecksumType::kComposite;
  switch (*request.checksum) {
    case DigestKind::kCrc32:
    case DigestKind::kCrc32c:
      return Ok();
    case DigestKind::kCrc64Nvme:
      if (!composite) return Ok();
      return Error(ErrorCode::kInvalidArgument, "CRC64NVME is of the full object");
    case DigestKind::kSha1:
    case DigestKind::kSha256:
      if (composite) return Ok();
      return Error(ErrorCode::kInvalidArgument, "SHA-1 and SHA-256 of parts are composite");
    case DigestKind::kMd5:
      break;
  }
  return Error(ErrorCode::kInvalidArgument, "MD5 is no checksum of uploads");
}

Result<UploadRecord> NewRecord(const CreateUploadRequest& request) {
  UploadRecord record;
  record.owner = request.owner;
  record.object = request.metadata;
  record.checksum = request.checksum.value_or(DigestKind::kCrc64Nvme);
  if (request.checksum) record.checksum_type = request.checksum_type;
  record.checksum_chosen = request.checksum.has_value();
  auto* const secret = reinterpret_cast<unsigned char*>(&record.secret);
  if (RAND_bytes(secret, sizeof(record.secret)) != 1) {
    return Error(ErrorCode::kIo, "the system's random source failed");
  }
  return record;
}

}  // namespace

Result<CreatedUpload> Uploads::Create(const CreateUploadRequest& request) {
  AMPHORA_TRY(CheckObjectKey(request.key));
  AMPHORA_TRY(CheckChecksum(request));
  AMPHORA_ASSIGN(UploadRecord record, NewRecord(request));
  AMPHORA_ASSIGN(const InodeId number, core_.NewInodeId());
  const UploadId upload(number.value());
  const auto committed = core_.Run(request.caller.origin, [&](Tx& tx) -> Status {
    AMPHORA_TRY(LockParentForObject(tx, request.bucket, InodeId(request.bucket.value())));
    AMPHORA_ASSIGN(const NewOwner owner, OwnerFor(tx, request.bucket, request.caller));
    record.initiated = tx.now();
    record.uid = owner.uid;
    record.gid = owner.gid;
    return tx.kv().PutFresh(Table::kRows, UploadKey(request.bucket, request.key, upload),
                            Encode(record));
  });
  if (!committed.ok()) return committed.error();
  return CreatedUpload{DescribeUpload(request.key, upload, record), committed->ticket};
}

Result<Ticket> Uploads::Abort(const UploadName& name) {
  AMPHORA_ASSIGN(const FoundUpload found, FindUploadNow(core_, name));
  PartPlaces::Pause pause = core_.part_places->PauseWriters(found.id);
  const auto committed = core_.Run(OriginId(), [&](Tx& tx) -> Status {
    AMPHORA_TRY(FindUpload(tx, name, Lock::kExclusive));
    AMPHORA_TRY(FreeUpload(tx, name.bucket, name.key, found.id));
    return Failpoint("fs.upload.before_abort");
  });
  if (committed.Is(ErrorCode::kNoSuchUpload)) AMPHORA_TRY(FindUploadNow(core_, name));
  if (!committed.ok()) return committed.error();
  pause.End();
  core_.part_places->Forget(found.id);
  core_.collector->Kick();
  return committed->ticket;
}

}  // namespace amphora::fs
