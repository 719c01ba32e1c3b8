// Every key of the metadata store. Binary, memcmp-ordered; integers big-endian; the first byte is
// the kind. `ino`, `blob`, `pos` are 8 bytes, names are raw bytes to the end of the key.
//
//   kind  rest                              value             what
//   'A'   access key id                     AccessKey         a key of the S3 face
//   'B'   blob                              BlobReferences    a blob that something refers to
//   'D'   ino (directory), name [, '/']     Dentry            a name; '/' ends a directory's
//   'G'   blob                              (empty)           a blob for the collector
//   'I'   ino                               Inode             a file or directory
//   'K'   ino (volume), name                Bucket            a bucket
//   'L'   ino (directory), pos              Position          the directory in order of position
//   'O'   ino                               (empty)           an inode without a name that
//   something holds 'R'   name                              Reservation       ids and stamps given
//   out 'S'   ino (directory)                   merged            see DirectorySums, DirectoryTimes
//   'U'   ino (bucket)                      merged            see UsageSums
//   'V'   name                              Volume            a volume
//   'W'   ino                               blob (8 bytes)    open for writing: recovery must look
//   'X'   ino, name                         value's bytes     an xattr
//   'Z'   ino (directory)                   (empty)           an implicit directory that may be
//   empty now
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
  kDentry = 'D',
  kGarbage = 'G',
  kInode = 'I',
  kBucket = 'K',
  kPosition = 'L',
  kOrphan = 'O',
  kReservation = 'R',
  kDirectoryStat = 'S',
  kUsage = 'U',
  kVolume = 'V',
  kOpenForWrite = 'W',
  kXattr = 'X',
  kVanishing = 'Z',
};

// A name in a directory: raw bytes as S3 has them, and whether it is the directory's ("name/").
struct EntryName {
  std::string raw;
  bool directory = false;
  friend bool operator==(const EntryName&, const EntryName&) = default;
};

std::string AccessKeyKey(std::string_view id);
std::string BlobKey(BlobId blob);
std::string DentryKey(InodeId directory, std::string_view raw, bool is_directory);
std::string GarbageKey(BlobId blob);
std::string InodeKey(InodeId inode);
std::string BucketKey(VolumeId volume, std::string_view name);
std::string PositionKey(InodeId directory, std::uint64_t position);
std::string OrphanKey(InodeId inode);
std::string ReservationKey(std::string_view name);
std::string DirectoryStatKey(InodeId directory);
std::string UsageKey(BucketId bucket);
std::string VolumeKey(std::string_view name);
std::string OpenForWriteKey(InodeId inode);
std::string XattrKey(InodeId inode, std::string_view name);
std::string VanishingKey(InodeId directory);
std::string ContentKey(InodeId inode);

// All rows of one kind, and of one kind under one inode.
meta::KeyRange RangeOf(RowKind kind);
meta::KeyRange RangeOf(RowKind kind, InodeId inode);
// The dentries of `directory` whose key is > (or >=) the given name.
meta::KeyRange DentriesFrom(InodeId directory, std::string_view key_suffix);
// The smallest key that is greater than every key beginning with `prefix`; empty: none.
std::string PrefixEnd(std::string_view prefix);

// The parts of a key; kCorrupt when it is not of that kind.
Result<InodeId> DecodeInodeOf(std::string_view key);  // 'D' 'I' 'K' 'L' 'O' 'S' 'U' 'W' 'X' 'Z'
Result<BlobId> DecodeBlobOf(std::string_view key);    // 'B' 'G'
Result<std::uint64_t> DecodePositionOf(std::string_view key);  // 'L'
Result<EntryName> DecodeNameOf(std::string_view key);          // 'D'
std::string_view DecodeTextOf(
    std::string_view key);  // 'A' 'R' 'V': after the kind; 'K' 'X': after the inode
// For dump: "dentry 17 photos/".
std::string KeyToText(std::string_view key);

// Fields of the merged rows (meta::MergeValue).
enum DirectorySums : std::size_t { kEntries = 0, kSubdirectories = 1 };
enum DirectoryTimes : std::size_t { kModified = 0, kChanged = 1, kAccessed = 2 };
enum UsageSums : std::size_t { kFiles = 0, kDirectories = 1, kBytes = 2 };

}  // namespace amphora::fs
