// Attributes from rows and live state; shared by the operations of fs/files.h.
#pragma once

#include "fs/tx.h"
#include "fs/types.h"

namespace amphora::fs {

class Core;

// What the inode row alone says. Directories lack their sums and times: see FillDirectory.
Attributes ToAttributes(InodeId inode, const InodeRecord& record);
// A directory's link count and times, from its merged row.
void FillDirectory(Attributes& attributes, const meta::MergeValue& merged);
// The whole answer: row, merged row of a directory, live state of an open file.
Result<Attributes> ReadAttributes(Core& core, meta::Reader& reader, InodeId inode,
                                  const InodeRecord& record);
// The same for many, in two reads.
struct FoundInode {
  InodeId inode;
  const InodeRecord& record;
};
// The same of what a mount with that root shows (Files): of a link to a bucket, its directory's.
Result<Attributes> ReadShownAttributes(Core& core, meta::Reader& reader, InodeId mount_root,
                                       const FoundInode& found);
Result<std::vector<std::optional<Attributes>>> ReadAttributesOfMany(
    Core& core, meta::Reader& reader, const std::vector<InodeId>& inodes);

}  // namespace amphora::fs
