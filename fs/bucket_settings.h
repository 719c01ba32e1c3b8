// What an operator sets for one bucket (`amphora bucket set`); kept in the bucket's row. Values;
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>

namespace amphora::fs {

// When a file that the mount makes is shown to S3.
enum class Publish : std::uint8_t {
  kLive = 0,   // at once, while it is written
  kClose = 1,  // from its first close or fsync
};

// Under whose names HEAD and GET give mode, owner and mtime as user metadata.
enum class PosixMetadata : std::uint8_t {
  kNone = 0,
  kS3fs = 1,  // mode, uid, gid, mtime, ctime: s3fs, geesefs; rclone reads the mtime
  kAws = 2,  // file-permissions, file-owner, file-group, file-mtime: FSx, DataSync, Storage Gateway
  kAll = 3,
};

struct BucketSettings {
  std::optional<std::uint64_t> quota_bytes;   // logical bytes of files and of parts; nullopt: none
  std::optional<std::uint64_t> quota_inodes;  // files and directories; nullopt: none
  Publish publish = Publish::kLive;
  PosixMetadata posix_metadata = PosixMetadata::kNone;
  // Of files and directories that S3 makes under a new name; nullopt: as without the setting.
  std::optional<std::uint32_t> s3_uid;
  std::optional<std::uint32_t> s3_gid;
  std::optional<std::uint32_t> s3_permissions;  // of files, 0 to 0777; directories get search too
  friend bool operator==(const BucketSettings&, const BucketSettings&) = default;
};

// What is to be set; an absent field stays, an inner nullopt takes the setting away.
struct BucketSettingsChange {
  std::optional<std::optional<std::uint64_t>> quota_bytes;
  std::optional<std::optional<std::uint64_t>> quota_inodes;
  std::optional<Publish> publish;
  std::optional<PosixMetadata> posix_metadata;
  std::optional<std::optional<std::uint32_t>> s3_uid;
  std::optional<std::optional<std::uint32_t>> s3_gid;
  std::optional<std::optional<std::uint32_t>> s3_permissions;
};

}  // namespace amphora::fs
