// Volumes and buckets. Blocking, thread-safe. Mutations answer tickets as in fs/objects.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/bucket_settings.h"
#include "fs/types.h"

namespace amphora::fs {

class Core;

inline constexpr std::string_view kS3Volume = "s3v";  // the volume whose buckets S3 shows

struct VolumeInfo {
  VolumeId id;
  std::string name;
  std::string owner;  // who created it: a user name
  Time created;
};

// "/volume/name"
struct BucketPath {
  std::string volume;
  std::string name;
  friend bool operator==(const BucketPath&, const BucketPath&) = default;
};

struct BucketInfo {
  BucketId id;  // of a link: that of the bucket it shows
  std::string volume;
  std::string name;
  std::string owner;  // of a link: who made the link
  Time created;
  std::optional<BucketPath> link_target = {};  // set for a link
  std::uint64_t objects = 0;     // filled in by GetBucket: files, a hard-linked one once
  std::uint64_t bytes = 0;       // logical bytes of files
  std::uint64_t inodes = 0;      // files and directories
  std::uint64_t part_bytes = 0;  // of unfinished uploads
  BucketSettings settings = {};  // filled in by GetBucket
};

template <typename T>
struct Made {
  T info;
  Ticket ticket = 0;
};

class Buckets {
 public:
  explicit Buckets(Core& core) : core_(core) {}

  Result<Made<VolumeInfo>> CreateVolume(const Caller& caller, std::string_view owner,
                                        std::string_view name);
  Result<VolumeInfo> GetVolume(std::string_view name);
  Result<std::vector<VolumeInfo>> ListVolumes();
  // kNotEmpty while it has buckets; kNotPermitted for /s3v.
  Result<Ticket> DeleteVolume(std::string_view name);

  // kNoSuchVolume, kExists.
  Result<Made<BucketInfo>> CreateBucket(const Caller& caller, std::string_view owner,
                                        std::string_view volume, std::string_view name);
  // kNoSuchVolume, kNoSuchBucket. Cached: costs no store read when it was asked before.
  Result<BucketInfo> FindBucket(std::string_view volume, std::string_view name);
  // The same with `objects` and `bytes` read now.
  Result<BucketInfo> GetBucket(std::string_view volume, std::string_view name);
  Result<std::vector<BucketInfo>> ListBuckets(std::string_view volume);
  // Of a link: those of the bucket that it shows. A quota below what is there only stops growth. In
  // force when it returns, and for handles that are open.
  Result<Ticket> ChangeSettings(std::string_view volume, std::string_view name,
                                const BucketSettingsChange& change);
  // As they are in force now; cheap.
  BucketSettings SettingsOf(BucketId bucket);
  // A link that shows `target` under another name, on both faces; of a link to a link the bucket
  // itself is remembered, so that no ring can be (docs/decisions/0009-bucket-links.md).
  // kNoSuchVolume and kNoSuchBucket of either place, kExists, kInvalidArgument: onto itself.
  Result<Made<BucketInfo>> CreateLink(const Caller& caller, std::string_view owner,
                                      const BucketPath& target, const BucketPath& link);
  // The links that show a bucket, in the order in which they were made.
  Result<std::vector<BucketPath>> LinksTo(BucketId bucket);
  // Of a link: takes the link away and leaves the bucket. kBucketNotEmpty; kBucketHasLinks.
  Result<Ticket> DeleteBucket(std::string_view volume, std::string_view name);

 private:
  Core& core_;
};

}  // namespace amphora::fs
