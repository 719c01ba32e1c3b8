// Multipart uploads (S3: uploading and copying objects using multipart upload): parts arrive in any
// order and beside each other; Complete makes one object of them in one transaction. All calls are
// blocking and thread-safe. A mutation answers a Ticket, to be acknowledged only after
// Engine::WhenSettled(ticket), as in fs/objects.h.
//
// kNoSuchUpload: no such upload of that bucket and key; it was completed or aborted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fs/objects.h"
#include "fs/types.h"

namespace amphora::fs {

inline constexpr std::uint32_t kMaxParts = 10'000;            // part numbers are 1 to this
inline constexpr std::uint64_t kMinPartBytes = 5ull << 20;    // of every part but the last
inline constexpr std::uint64_t kMaxPartBytes = 5ull << 30;    // of one part
inline constexpr std::uint64_t kMaxObjectBytes = 5ull << 40;  // of all parts together
inline constexpr std::size_t kMaxUploadIdBytes = 32;          // upload ids are hexadecimal digits

// Names an upload: all three must fit together.
struct UploadName {
  BucketId bucket;
  std::string key;
  std::string id;
};

struct CreateUploadRequest {
  BucketId bucket;
  std::string key;
  ObjectMetadata metadata;
  // Without one, CRC64NVME over the whole object is kept, as for a PUT. kMd5 is no checksum.
  std::optional<DigestKind> checksum;
  // kInvalidArgument: SHA-1 and SHA-256 exist as kComposite only, CRC64NVME as kFullObject only.
  ChecksumType checksum_type = ChecksumType::kFullObject;
  Caller caller;
  std::string owner;  // a user name, for listings
};

struct UploadInfo {
  std::string key;
  std::string id;
  std::string owner;
  Time initiated;
  DigestKind checksum = DigestKind::kCrc64Nvme;
  ChecksumType checksum_type = ChecksumType::kFullObject;
  // Whether the client chose the checksum; otherwise it is not shown.
  bool checksum_chosen = false;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

struct CreatedUpload {
  UploadInfo info;
  Ticket ticket = 0;
};

struct PartInfo {
  std::uint32_t number = 0;
  std::uint64_t size = 0;
  std::string etag;  // without quotes: the MD5; of a part copied by reference an opaque value
  Time last_modified;
  // Of the upload's kind, raw; empty when nobody computed it (copied by reference).
  std::string checksum;
};

struct PartOutcome {
  PartInfo part;
  Digests computed;
  Ticket ticket = 0;
};

struct BeginPartRequest {
  UploadName upload;
  std::uint32_t number = 0;  // 1 to kMaxParts, else kInvalidArgument
  // Known sizes are placed where Complete needs them; unknown ones cost a copy later.
  std::optional<std::uint64_t> declared_size;
  // MD5 and the upload's checksum are always computed. Others that the request promises.
  std::vector<DigestKind> digests;
};

// The bytes of one part on their way in. Dropped without Commit, it leaves nothing, and a part that
// was uploaded before under this number stays. One thread at a time.
class PartWriter {
 public:
  virtual ~PartWriter() = default;
  // The upload that the part goes to, as it was at BeginPart.
  virtual const UploadInfo& upload() const = 0;
  virtual Status Append(std::span<const std::byte> data) = 0;
  virtual std::uint64_t size() const = 0;
  // Blocks for the fdatasync of the bytes, then commits the part's row: it replaces an earlier part
  // of the same number. kBadDigest as PutOptions::expected says. Once only.
  virtual Result<PartOutcome> Commit(const Digests& expected) = 0;
};

struct ByteSpan {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct CopyPartRequest {
  UploadName upload;
  std::uint32_t number = 0;
  BucketId source_bucket;
  std::string source_key;
  std::optional<ByteSpan> range;  // nullopt: all of it. kOutOfRange when it ends behind the source
  Conditions source_conditions;   // a failed one is kPreconditionFailed, whatever it was
  Caller caller;
};

struct CompletedPart {
  std::uint32_t number = 0;
  std::string etag;                     // without quotes
  std::optional<std::string> checksum;  // raw, of the upload's kind: must equal the part's
};

struct CompleteRequest {
  UploadName upload;
  // kInvalidPartOrder unless ascending; kInvalidPart: unknown, or another ETag or checksum;
  // kPartTooSmall: one but the last is below kMinPartBytes; kInvalidArgument: none, or too many.
  std::vector<CompletedPart> parts;
  Conditions conditions;                       // on the object that the key names now
  std::optional<std::uint64_t> expected_size;  // kInvalidArgument when the parts add up to another
  // The checksum of the whole as the client has it; kBadDigest when it is another.
  std::optional<ObjectChecksum> expected_checksum;
  // kInvalidArgument when the upload was made with another type.
  std::optional<ChecksumType> expected_type;
  Caller caller;
};

struct CompleteOutcome {
  ObjectInfo info;
  Ticket ticket = 0;
};

struct ListPartsRequest {
  UploadName upload;
  std::uint32_t after = 0;   // part-number-marker
  std::size_t limit = 1000;  // 0 to 1000
};

struct PartsPage {
  UploadInfo upload;
  std::vector<PartInfo> parts;  // ascending
  bool truncated = false;
  std::uint32_t next = 0;  // the last part's number
};

struct ListUploadsRequest {
  BucketId bucket;
  std::string prefix;
  std::string delimiter;
  std::string key_marker;        // exclusive; with an id_marker, later uploads of that key follow
  std::string upload_id_marker;  // ignored without key_marker
  std::size_t limit = 1000;      // uploads plus common prefixes, 0 to 1000
};

struct UploadsPage {
  std::vector<UploadInfo> uploads;  // by key, then by time of initiation
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key;  // when truncated
  std::string next_id;   // likewise; empty after a common prefix
};

class Uploads {
 public:
  explicit Uploads(Core& core) : core_(core) {}

  // kNoSuchBucket.
  Result<CreatedUpload> Create(const CreateUploadRequest& request);
  Result<std::unique_ptr<PartWriter>> BeginPart(const BeginPartRequest& request);
  // kNotFound: no such source. Shares the source's blobs where it can; reads its bytes only when
  // the client chose a checksum.
  Result<PartOutcome> CopyPart(const CopyPartRequest& request);
  // A second Complete with the same parts answers what the first one did, as long as the object is
  // still the one that the first made, and for EngineOptions::finished_uploads_kept_s in any case.
  Result<CompleteOutcome> Complete(const CompleteRequest& request);
  Result<Ticket> Abort(const UploadName& upload);
  Result<PartsPage> ListParts(const ListPartsRequest& request);
  Result<UploadsPage> ListUploads(const ListUploadsRequest& request);

 private:
  Core& core_;
};

}  // namespace amphora::fs
