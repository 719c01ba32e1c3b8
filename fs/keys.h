// Every key of the metadata store. Binary, memcmp-ordered; integers big-endian; the first byte is
// the kind. `ino`, `blob`, `pos`, offsets are 8 bytes, names are raw bytes to the end of the key.
//
//   kind  rest                              value             what
//   'A'   access key id                     AccessKey         a key of the S3 face
//   'B'   blob                              BlobReferences    a blob that something refers to
//   'C'   ino                               (bytes)           checksums of an object's parts
//   'D'   ino (directory), name [, '/']     Dentry            a name; '/' ends a directory's
//   'E'   ino, offset in the file           Extent            a run of a file's bytes
//   'F'   upload                            FinishedUpload    what a Complete answered
//   'G'   blob                              (empty)           a blob for the collector
//   'H'   upload, blob                      (empty)           an upload holds a blob
//   'I'   ino                               Inode             a file or directory
//   'J'   ino                               (empty)           extents to be joined into one blob
//   'K'   ino (volume), name                Bucket            a bucket, or a link to one
//   'L'   ino (directory), pos              Position          the directory in order of position
//   'M'   ino (bucket), key, 00, upload     Upload            a multipart upload
//   'O'   ino                               (empty)           held, but without a name
//   'P'   upload, part number (4 bytes)     Part              a part of an upload
//   'R'   name                              Reservation       ids and stamps given out
//   'S'   ino (directory)                   merged            see DirectorySums, DirectoryTimes
//   'T'   ino (bucket), ino (link)          (empty)           a link that shows the bucket
//   'U'   ino (bucket)                      merged            see UsageSums
//   'V'   name                              Volume            a volume
//   'W'   ino                               blob (8 bytes)    open for writing: recovery must look
//   'X'   ino, name                         value's bytes     an xattr
//   'Z'   ino (directory)                   (empty)           implicit, and may be empty now
//
// Inside the key of an 'M' row a byte 00 is written 00 FF. `upload` is 8 bytes and below 2^56, so
// rows are in the order of keys, and under one key in that of initiation.
//
// The content table has one kind of key: ino → the bytes of an inline file.
//
// Because a directory's name ends in '/', the order of sibling names equals the order of whole S3
// keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fs/types.h"
#include "meta/kv.h"

namespace amphora::fs {

enum class RowKind : char {
  kAccessKey = 'A',
  kBlob = 'B',
  kPartChecksums = 'C',
  kDentry = 'D',
  kExtent = 'E',
  kFinishedUpload = 'F',
  kGarbage = 'G',
  kUploadBlob = 'H',
  kInode = 'I',
  kJoin = 'J',
  kBucket = 'K',
  kPosition = 'L',
  kUpload = 'M',
  kOrphan = 'O',
  kPart = 'P',
  kReservation = 'R',
  kDirectoryStat = 'S',
  kLinkTo = 'T',
  kUsage = 'U',
  kVolume = 'V',
  kOpenForWrite = 'W',
  kXattr = 'X',
  kVanishing = 'Z',
};

using UploadId = StrongId<struct UploadTag>;

// A name in a directory: raw bytes as S3 has them, and whether it is the directory's ("name/").
struct EntryName {
  std::string raw;
  bool directory = false;
  friend bool operator==(const EntryName&, const EntryName&) = default;
};

std::string AccessKeyKey(std::string_view id);
std::string BlobKey(BlobId blob);
std::string DentryKey(InodeId directory, std::string_view raw, bool is_directory);
std::string ExtentKey(InodeId inode, std::uint64_t offset);
std::string GarbageKey(BlobId blob);
std::string FinishedUploadKey(UploadId upload);
std::string PartChecksumsKey(InodeId inode);
std::string UploadBlobKey(UploadId upload, BlobId blob);
std::string InodeKey(InodeId inode);
std::string JoinKey(InodeId inode);
std::string BucketKey(VolumeId volume, std::string_view name);
std::string PositionKey(InodeId directory, std::uint64_t position);
std::string UploadKey(BucketId bucket, std::string_view key, UploadId upload);
std::string OrphanKey(InodeId inode);
std::string PartKey(UploadId upload, std::uint32_t number);
std::string ReservationKey(std::string_view name);
std::string DirectoryStatKey(InodeId directory);
std::string LinkToKey(BucketId bucket, InodeId link);
std::string UsageKey(BucketId bucket);
std::string VolumeKey(std::string_view name);
std::string OpenForWriteKey(InodeId inode);
std::string XattrKey(InodeId inode, std::string_view name);
std::string VanishingKey(InodeId directory);
std::string ContentKey(InodeId inode);

// All rows of one kind, and of one kind under one inode.
meta::KeyRange RangeOf(RowKind kind);
meta::KeyRange RangeOf(RowKind kind, InodeId inode);
// The 'P' or 'H' rows of one upload.
meta::KeyRange RangeOf(RowKind kind, UploadId upload);
// The uploads of `bucket` whose key is >= `key`; and those behind one upload, or behind one key.
meta::KeyRange UploadsFrom(BucketId bucket, std::string_view key);
meta::KeyRange UploadsAfter(BucketId bucket, std::string_view key, UploadId upload);
meta::KeyRange UploadsAfter(BucketId bucket, std::string_view key);
// The dentries of `directory` whose key is > (or >=) the given name.
meta::KeyRange DentriesFrom(InodeId directory, std::string_view key_suffix);
// The smallest key that is greater than every key beginning with `prefix`; empty: none.
std::string PrefixEnd(std::string_view prefix);

// The parts of a key; kCorrupt when it is not of that kind.
Result<InodeId> DecodeInodeOf(std::string_view key);    // 'C' 'D' 'E' 'I' 'J' 'K' 'L' 'M' 'O' 'S'
                                                        // 'T' 'U' 'W' 'X' 'Z'
Result<BlobId> DecodeBlobOf(std::string_view key);      // 'B' 'G' 'H'
Result<UploadId> DecodeUploadOf(std::string_view key);  // 'F' 'H' 'M' 'P'
Result<std::uint32_t> DecodePartNumberOf(std::string_view key);  // 'P'
Result<std::uint64_t> DecodeOffsetOf(std::string_view key);      // 'E'
Result<std::string> DecodeUploadedKeyOf(std::string_view key);   // 'M'
Result<std::uint64_t> DecodePositionOf(std::string_view key);    // 'L'
Result<EntryName> DecodeNameOf(std::string_view key);            // 'D'
Result<InodeId> DecodeLinkOf(std::string_view key);              // 'T': the link
std::string_view DecodeTextOf(
    std::string_view key);  // 'A' 'R' 'V': after the kind; 'K' 'X': after the inode
// For dump: "dentry 17 photos/".
std::string KeyToText(std::string_view key);

// Fields of the merged rows (meta::MergeValue).
enum DirectorySums : std::size_t { kEntries = 0, kSubdirectories = 1 };
enum DirectoryTimes : std::size_t { kModified = 0, kChanged = 1, kAccessed = 2 };
// kPartBytes: of the parts of uploads that are neither completed nor aborted.
enum UsageSums : std::size_t { kFiles = 0, kDirectories = 1, kBytes = 2, kPartBytes = 3 };

}  // namespace amphora::fs
