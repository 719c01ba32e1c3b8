// The object face of the engine: the same tree, by whole key, as S3 asks for it. All calls are
// blocking and thread-safe. A mutation answers a Ticket and has published its changes; acknowledge
// it only after Engine::WhenSettled(ticket) (durable, and every mount's kernel told).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/types.h"

namespace amphora::fs {

class Core;

// The standard headers that S3 keeps with an object, and the user's own (x-amz-meta-*, lower-case
// names without the prefix). Empty: not set. (S3: working with object metadata)
struct ObjectMetadata {
  std::string content_type;
  std::string content_encoding;
  std::string content_language;
  std::string content_disposition;
  std::string cache_control;
  std::string expires;
  std::vector<std::pair<std::string, std::string>> user;
};

// Digests of the whole content. Names as in x-amz-checksum-<name>.
enum class DigestKind : std::uint8_t { kMd5, kSha256, kSha1, kCrc32, kCrc32c, kCrc64Nvme };
inline constexpr std::size_t kDigestKinds = 6;

// Raw bytes (big-endian for the CRCs) by kind; empty: not computed or not expected.
struct Digests {
  std::array<std::string, kDigestKinds> values;
  std::string& operator[](DigestKind kind) { return values[static_cast<std::size_t>(kind)]; }
  const std::string& operator[](DigestKind kind) const {
    return values[static_cast<std::size_t>(kind)];
  }
};

// What a checksum of a multipart object is over: all bytes, or the parts' checksums.
enum class ChecksumType : std::uint8_t { kFullObject = 0, kComposite = 1 };

struct ObjectChecksum {
  DigestKind kind = DigestKind::kCrc64Nvme;
  ChecksumType type = ChecksumType::kFullObject;
  std::string value;        // raw
  std::uint32_t parts = 0;  // kComposite: how many; S3 shows it behind the value
  friend bool operator==(const ObjectChecksum&, const ObjectChecksum&) = default;
};

// Parts of one size that follow each other.
struct PartRun {
  std::uint64_t size = 0;  // bytes of each
  std::uint32_t count = 0;
  friend bool operator==(const PartRun&, const PartRun&) = default;
};

// The sizes of a multipart object's parts are kept up to so many runs; of one that has more, only
// their number is known.
inline constexpr std::size_t kMaxPartRuns = 1000;

struct ObjectInfo {
  std::string key;
  InodeId inode;
  FileKind kind = FileKind::kRegular;
  std::uint64_t size = 0;
  std::string etag;    // without quotes
  Time last_modified;  // when content or object metadata last changed, by our clock
  // Kept since the PUT, Complete or copy that made the content; content that POSIX wrote has none.
  std::optional<ObjectChecksum> checksum;
  // Of Head and OpenObject only, not of listings:
  ObjectMetadata metadata;
  std::uint32_t parts = 0;         // of a multipart object: how many; else 0
  std::vector<PartRun> part_runs;  // in order; empty beyond kMaxPartRuns
  std::uint32_t permissions = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  Time modified;  // POSIX's
  // True for the key of an explicit directory ("dir/").
  bool directory = false;
};

// Conditions on the current object, decided inside the transaction (S3: conditional requests).
// ETags without quotes; "*" matches any existing object.
struct Conditions {
  std::vector<std::string> if_match;
  std::vector<std::string> if_none_match;
  std::optional<Time> if_modified_since;    // reads only; compared by whole seconds
  std::optional<Time> if_unmodified_since;  // reads only
  bool empty() const {
    return if_match.empty() && if_none_match.empty() && !if_modified_since && !if_unmodified_since;
  }
};

// kPreconditionFailed or kNotModified by RFC 9110 section 13.2.2's order of precedence.
Status CheckReadConditions(const Conditions& conditions, const ObjectInfo& info);

struct PutOptions {
  ObjectMetadata metadata;
  Conditions conditions;
  Digests expected;  // each present one must equal the computed one, else kBadDigest, whose
                     // detail names the kind: "md5", "sha256", "crc32", …
  // The checksum to keep with the object (its value is the computed one). Without one, CRC64NVME
  // is.
  std::optional<DigestKind> keep_checksum;
  Caller caller;
};

struct PutOutcome {
  ObjectInfo info;
  Digests computed;
  Ticket ticket = 0;
};

// The bytes of one PUT on their way in: memory first, a fresh blob when they are many. Dropped
// without Commit, it leaves nothing. Used by one thread at a time.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Status Append(std::span<const std::byte> data) = 0;
  virtual std::uint64_t size() const = 0;
  // Puts the object in place of what the key names, in one transaction. Blocks for the blob's
  // fdatasync when the content is large (hazards 5.2). Once only.
  virtual Result<PutOutcome> Commit(const PutOptions& options) = 0;
};

struct BeginPutRequest {
  BucketId bucket;
  std::string key;
  std::optional<std::uint64_t> declared_size;
  // MD5 is always computed. Others that the request promises (headers or trailers).
  std::vector<DigestKind> digests;
};

// A run of an object's bytes in a file, to be sent with sendfile(2).
struct FilePiece {
  std::shared_ptr<const void> keep;  // the descriptor is good for as long as this lives
  int file = -1;
  std::uint64_t offset = 0;  // in the file
  std::uint64_t length = 0;
};

// One object's content as it was when opened: never torn by a later PUT or DELETE. One thread at a
// time.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual const ObjectInfo& info() const = 0;
  // Bytes read, fewer than asked only at the end. kStale when a POSIX writer changed the file in a
  // way that would tear the answer: cut the connection.
  virtual Result<std::size_t> Read(std::uint64_t offset, std::span<std::byte> buffer) = 0;
  // Whether all of it lies in files that nobody writes while the reader lives; else use Read.
  virtual bool in_files() const = 0;
  // With in_files(): whether all its files are open, so that PieceAt does not wait for a disk.
  virtual bool files_are_open() const = 0;
  // With in_files(): the piece that begins at `offset`, at least a byte of it. kOutOfRange at the
  // end.
  virtual Result<FilePiece> PieceAt(std::uint64_t offset) = 0;
};

struct DeleteOutcome {
  bool existed = false;
  Ticket ticket = 0;
};

// ETag without quotes, or "*"; decided inside the transaction (S3: conditional deletes).
// kPreconditionFailed: another content; kNotFound: no object.
using DeleteCondition = std::optional<std::string>;

struct DeleteManyItem {
  std::string key;
  DeleteCondition if_match;
  std::optional<Error> error;  // filled in
};

// A copy of a whole object (S3: CopyObject). Blobs are shared, not copied, where that is possible.
struct CopyRequest {
  BucketId source_bucket;
  std::string source_key;
  BucketId bucket;
  std::string key;
  // On the source; a failed one is kPreconditionFailed, whatever it was.
  Conditions source_conditions;
  Conditions conditions;  // on what the destination names now
  // REPLACE: this instead of the source's metadata. A copy onto itself needs it, else
  // kInvalidArgument.
  std::optional<ObjectMetadata> replace_metadata;
  // The checksum to keep. Without one the source's is kept. Another one than the source's reads all
  // bytes.
  std::optional<DigestKind> checksum;
  Caller caller;
};

struct CopyOutcome {
  ObjectInfo info;
  Ticket ticket = 0;
};

struct ListRequest {
  BucketId bucket;
  std::string prefix;
  std::string delimiter;     // empty: flat
  std::string start_after;   // exclusive; equal to a common prefix: that whole prefix is behind us
  std::size_t limit = 1000;  // keys plus common prefixes, 0 to 1000
};

struct ListPage {
  std::vector<ObjectInfo> objects;           // byte order of keys
  std::vector<std::string> common_prefixes;  // byte order
  bool truncated = false;
  std::string next;  // when truncated: the start_after of the next page (a key or a common prefix)
};

class Objects {
 public:
  explicit Objects(Core& core) : core_(core) {}

  Result<std::unique_ptr<ObjectWriter>> BeginPut(const BeginPutRequest& request);
  // kNotFound: no such key. A negative answer that rests on another's commit is given only once
  // that commit is durable (hazards 5.9): ask Engine::NewestTicket() and settle.
  Result<ObjectInfo> Head(BucketId bucket, std::string_view key);
  Result<std::unique_ptr<ObjectReader>> Open(BucketId bucket, std::string_view key);
  // Deleting what is not there succeeds with existed == false, unless there is a condition.
  Result<DeleteOutcome> Delete(const Caller& caller, BucketId bucket, std::string_view key,
                               const DeleteCondition& if_match = {});
  // Up to 1000 keys; each item's own error is filled in.
  Result<Ticket> DeleteMany(const Caller& caller, BucketId bucket,
                            std::vector<DeleteManyItem>& items);
  Result<ListPage> List(const ListRequest& request);
  // The raw checksums of the parts of a multipart object whose checksum is kComposite, in order;
  // none when they are not known (any more). `info`: of Head or Open.
  Result<std::vector<std::string>> PartChecksums(const ObjectInfo& info);
  // kNotFound: no such source (or If-Match without a destination).
  Result<CopyOutcome> Copy(const CopyRequest& request);

 private:
  Core& core_;
};

}  // namespace amphora::fs
