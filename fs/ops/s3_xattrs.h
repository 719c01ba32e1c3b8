// The part of xattr(7) that is an object's metadata: user.s3.content-type and its like, and
// user.s3.meta.NAME for x-amz-meta-NAME. What is set here S3 shows at once, and the other way
// round; the ETag stays, Last-Modified moves.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/files.h"
#include "fs/objects.h"

namespace amphora::fs {

class Core;

inline constexpr std::string_view kS3Prefix = "user.s3.";

// Of a name with the prefix; nothing: not set, or no metadata.
std::optional<std::string> GetS3Metadata(const ObjectMetadata& metadata, std::string_view name);
// The names of all that is set.
std::vector<std::string> ListS3Metadata(const ObjectMetadata& metadata);

struct S3XattrChange {
  std::string_view name;
  std::optional<std::string_view> value;  // nullopt: removed
  XattrMode mode = XattrMode::kCreateOrReplace;
};
// kNotPermitted: no metadata (user.s3.etag, …), or not a file or directory of a bucket;
// kInvalidArgument: what HTTP headers don't carry; kNoSpace: beyond S3's 2 KiB of user metadata;
// kExists and kNoAttribute as setxattr(2) says.
Status SetS3Xattr(Core& core, const Caller& caller, InodeId inode, const S3XattrChange& change);

}  // namespace amphora::fs
