// HEAD and GET of an object: what a key means now, and its content as it was at that moment.
// Blocking, thread-safe. The face is Objects::Head and Objects::Open.
#pragma once

#include <memory>
#include <string_view>

#include "fs/objects.h"

namespace amphora::fs {

class Core;

// kNotFound.
Result<ObjectInfo> HeadObject(Core& core, BucketId bucket, std::string_view key);
Result<std::unique_ptr<ObjectReader>> OpenObject(Core& core, BucketId bucket, std::string_view key);

}  // namespace amphora::fs
