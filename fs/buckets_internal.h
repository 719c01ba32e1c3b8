// What the engine needs of volumes and buckets beyond its face.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fs/buckets.h"
#include "fs/records.h"
#include "fs/tx.h"
#include "meta/base/result.h"

namespace amphora::fs {

class Core;

// Makes the store's root directory and the volume /s3v of a fresh store, durably; does nothing when
// they are there. Called by Engine::Open before anything else reads or writes names.
Status EnsureFirstRows(Core& core);

inline InodeId DirectoryOf(VolumeId volume) { return InodeId(volume.value()); }
inline InodeId DirectoryOf(BucketId bucket) { return InodeId(bucket.value()); }

BucketInfo ToBucketInfo(std::string_view volume, std::string_view name, const BucketRecord& record);
Result<VolumeRecord> MustReadVolume(meta::Reader& reader, std::string_view name);
Result<std::optional<BucketRecord>> ReadBucket(meta::Reader& reader, VolumeId volume,
                                               std::string_view name);

// What stands above buckets and is made by the command line or S3, never by the mount: a volume's
// or bucket's directory, or a link.
struct NewTop {
  InodeId inode;
  InodeId parent;
  std::string_view name;
  BucketId bucket;  // 0 for volumes and links
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string symlink = {};  // of a link: what it says where its target is shown
};
// kExists; kNotFound: the parent was removed. Takes the parent's row shared.
Status AddTop(Tx& tx, const NewTop& top);
// Takes the name away. `record` is held exclusively and a directory is known to be empty; it stays
// as an orphan until no kernel knows it, like any directory that rmdir removed.
Status RemoveTop(Tx& tx, InodeId inode, InodeRecord record);
// Inside of DeleteBucket, its row by name already erased. Answers the link's inode.
Result<InodeId> RemoveLink(Tx& tx, const BucketRecord& record);

}  // namespace amphora::fs
