// The rows of a multipart upload, shared by its operations:
//
//   'M' bucket, key, upload   the upload; taken shared by who adds a part, exclusively by who ends
//                             it
//   'P' upload, number        a part: where its bytes lie
//   'H' upload, blob          one reference of the blob, held for the upload's parts in it
//
// Functions of one transaction or one reader: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/tx.h"
#include "fs/uploads.h"

namespace amphora::fs {

// The id that clients see: the upload's number and its secret, 32 hexadecimal digits.
std::string UploadIdText(UploadId upload, const UploadRecord& record);
// The number in an id; nullopt when it is no id of ours.
std::optional<UploadId> ParseUploadId(std::string_view id);

// kInvalidArgument unless 1 to kMaxParts.
Status CheckPartNumber(std::uint32_t number);

struct FoundUpload {
  UploadId id;
  UploadRecord record;
};
// kNoSuchUpload, also when the id's secret is wrong.
Result<FoundUpload> FindUpload(meta::Reader& reader, const UploadName& name);
Result<FoundUpload> FindUpload(Tx& tx, const UploadName& name, Lock lock);
// As it is now. That it is gone is somebody's Complete or Abort, and answered once that is durable
// (hazards 5.9): blocks then.
Result<FoundUpload> FindUploadNow(Core& core, const UploadName& name);

UploadInfo DescribeUpload(std::string key, UploadId upload, const UploadRecord& record);
PartInfo DescribePart(std::uint32_t number, const PartRecord& record);

struct NumberedPart {
  std::uint32_t number = 0;
  PartRecord record;
};
// Parts with a number above `after`, ascending, at most `limit`.
Result<std::vector<NumberedPart>> ReadParts(meta::Reader& reader, UploadId upload,
                                            std::uint32_t after, std::size_t limit);

// Puts a part's row in place of an earlier one, whose own blob is freed. The upload's row is held
// at least shared. The part's blob gets a reference unless the upload holds it already.
Status PutPart(Tx& tx, BucketId bucket, UploadId upload, std::uint32_t number,
               const PartRecord& record);

// Erases all rows of an upload whose row is held exclusively, but none of its references: they are
// the caller's now. Its parts count in the bucket's usage no more.
Result<std::vector<BlobId>> EraseUpload(Tx& tx, BucketId bucket, std::string_view key,
                                        UploadId upload);
// The same, and drops the references.
Status FreeUpload(Tx& tx, BucketId bucket, std::string_view key, UploadId upload);

// DeleteBucket: frees uploads of an empty bucket whose row is held exclusively, until about so many
// rows are erased; who they were. None: none is left.
Result<std::vector<UploadId>> FreeUploads(Tx& tx, BucketId bucket, std::size_t most_rows);

}  // namespace amphora::fs
