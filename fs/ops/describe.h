// What S3 sees of an inode: one place, so that LIST, HEAD and GET always agree on size and ETag.
// Pure functions; thread-safe.
#pragma once

#include <string>

#include "fs/objects.h"
#include "fs/records.h"

namespace amphora::fs {

enum class Detail { kListing, kFull };

// By the row alone: put LiveTable::Overlay over it. Symlinks and special files are zero-byte
// objects whose user metadata says what they are: amphora-kind, and amphora-target or
// amphora-device, percent-encoded where a byte is no printable ASCII.
ObjectInfo DescribeObject(std::string key, InodeId inode, const InodeRecord& record, Detail detail);

}  // namespace amphora::fs
