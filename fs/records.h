// The store's rows as plain structs, and their bytes. Protocol Buffers stay in records.cc. Decoders
// answer kCorrupt for bytes that are no such record. Values; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/bucket_settings.h"
#include "fs/buckets.h"
#include "fs/objects.h"
#include "fs/types.h"

namespace amphora::fs {

enum class ContentKind : std::uint8_t {
  kEmpty = 0,    // also a sparse file that was never written
  kInline = 1,   // the row of the content table
  kBlob = 2,     // one blob
  kExtents = 3,  // extent rows, one behind the other from offset 0 to the size
};

struct InodeRecord {
  FileKind kind = FileKind::kRegular;
  std::uint32_t permissions = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t links = 0;  // names of a file; of a directory 1 while alive, 0 once removed
  std::uint64_t size = 0;
  Time born;
  Time accessed;
  Time modified;
  Time changed;
  Time last_modified;  // S3's: when content or object metadata last changed, by our clock
  std::uint64_t device = 0;
  BucketId bucket;  // 0 above buckets
  ContentKind content = ContentKind::kEmpty;
  BlobId blob;
  std::uint64_t content_stamp = 0;  // changes with every change of content
  std::string etag;                 // 16 raw bytes: an MD5; empty: made from content_stamp
  ObjectMetadata object;
  bool implicit = false;  // a directory that came with a deeper key
  std::string symlink;
  std::optional<ObjectChecksum> checksum;
  // The name it got last: a directory's only one; one of a file's, and stale once that name was
  // removed.
  InodeId parent;
  std::string name;  // raw
  bool has_xattrs = false;
  std::uint32_t parts = 0;  // of a multipart object
  std::vector<PartRun> part_runs;
  std::uint64_t upload = 0;         // the upload that made the content; 0: none did
  bool has_part_checksums = false;  // a row of them stands, also when they are not true any more
  // Made in a bucket with `publish = close`, and neither closed nor synced yet: S3 does not see it.
  bool unpublished = false;

  // What was known of the content's bytes holds no more: the ETag is made from the stamp again.
  void ForgetDigests();
};
std::string Encode(const InodeRecord& record);
Result<InodeRecord> DecodeInode(std::string_view bytes);

// The text S3 shows, without quotes: hex of an MD5, or an opaque value that contains '-'.
std::string EtagText(InodeId inode, const InodeRecord& record);

struct DentryRecord {
  InodeId inode;
  FileKind kind = FileKind::kRegular;
  std::uint64_t position = 0;
  bool shadowed = false;  // a file beside a directory of the same name: shown under its escape
};
std::string Encode(const DentryRecord& record);
Result<DentryRecord> DecodeDentry(std::string_view bytes);

struct PositionRecord {
  std::string name;  // raw, without the '/' of a directory
  InodeId inode;
  FileKind kind = FileKind::kRegular;
  bool shadowed = false;
};
std::string Encode(const PositionRecord& record);
Result<PositionRecord> DecodePosition(std::string_view bytes);

struct VolumeRecord {
  VolumeId id;
  std::string owner;
  Time created;
};
std::string Encode(const VolumeRecord& record);
Result<VolumeRecord> DecodeVolume(std::string_view bytes);

struct BucketRecord {
  BucketId id;  // of a link: its own inode
  std::string owner;
  Time created;
  BucketId target = {};  // of a link: the bucket that it shows, never another link
  BucketPath target_path = {};
  BucketSettings settings = {};  // of a bucket
  bool is_link() const { return target.valid(); }
};
std::string Encode(const BucketRecord& record);
Result<BucketRecord> DecodeBucket(std::string_view bytes);

// A run of a file's bytes; its key has the offset in the file.
struct ExtentRecord {
  BlobId blob;
  std::uint64_t blob_offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const ExtentRecord&, const ExtentRecord&) = default;
};
std::string Encode(const ExtentRecord& record);
Result<ExtentRecord> DecodeExtent(std::string_view bytes);

// A multipart upload that is neither completed nor aborted.
struct UploadRecord {
  Time initiated;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string owner;
  ObjectMetadata object;
  DigestKind checksum = DigestKind::kCrc64Nvme;
  ChecksumType checksum_type = ChecksumType::kFullObject;
  bool checksum_chosen = false;
  std::uint64_t secret = 0;  // part of the id that clients see, so that it can't be guessed
};
std::string Encode(const UploadRecord& record);
Result<UploadRecord> DecodeUpload(std::string_view bytes);

struct PartRecord {
  std::uint64_t size = 0;
  std::string etag;      // 16 raw bytes
  std::string checksum;  // of the upload's kind; empty: not computed
  Time modified;
  BlobId blob;  // 0: the part is empty
  std::uint64_t blob_offset = 0;
  bool alone = false;  // nothing else of this upload is in the blob
};
std::string Encode(const PartRecord& record);
Result<PartRecord> DecodePart(std::string_view bytes);

// What a Complete answered.
struct FinishedUploadRecord {
  BucketId bucket;
  std::string key;
  std::uint64_t secret = 0;  // as UploadRecord's
  Time finished;
  std::string etag;  // text
  std::uint64_t size = 0;
  std::optional<ObjectChecksum> checksum;
  std::uint32_t parts = 0;
};
std::string Encode(const FinishedUploadRecord& record);
Result<FinishedUploadRecord> DecodeFinishedUpload(std::string_view bytes);

struct BlobRecord {
  std::uint64_t references = 0;
};
std::string Encode(const BlobRecord& record);
Result<BlobRecord> DecodeBlob(std::string_view bytes);

struct AccessKeyRecord {
  std::string secret;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string owner;
  Time created;
};
std::string Encode(const AccessKeyRecord& record);
Result<AccessKeyRecord> DecodeAccessKey(std::string_view bytes);

struct ReservationRecord {
  std::uint64_t limit = 0;  // ids below may have been given out
  std::uint64_t clean = 0;  // ids below were settled at a clean stop
};
std::string Encode(const ReservationRecord& record);
Result<ReservationRecord> DecodeReservation(std::string_view bytes);

}  // namespace amphora::fs
