// Links to buckets as a mount shows them. Thread-safe: pure functions over a reader.
#pragma once

#include <string>

#include "fs/records.h"
#include "fs/types.h"
#include "meta/kv.h"

namespace amphora::fs {

// A symlink above buckets is a link to one; POSIX makes none there.
inline bool IsBucketLink(const InodeRecord& record) {
  return record.kind == FileKind::kSymlink && !record.bucket.valid();
}

// The bucket's directory that link `record` shows. kStale when the link was deleted meanwhile.
Result<InodeId> TargetOfLink(meta::Reader& reader, const InodeRecord& record);

// What a link is in a mount: the bucket's directory itself, or a symlink with a text.
struct ShownLink {
  InodeId directory;    // 0: a symlink
  std::string symlink;  // the text otherwise
};

// In a mount whose root is `mount_root`: where the target is shown too, a relative symlink to it;
// in a mount of the link's volume alone, the oldest link to a bucket is its directory and the
// others are symlinks to that one, since a directory has one name in a kernel (hazards 3.6).
Result<ShownLink> ShowLink(meta::Reader& reader, InodeId mount_root, InodeId link,
                           const InodeRecord& record);

}  // namespace amphora::fs
