// Buckets by "volume/name", so that a request finds its bucket without a store read. Thread-safe.
#pragma once

#include "fs/buckets.h"
#include "fs/read_cache.h"

namespace amphora::fs {

class BucketCache final : public ReadCache<BucketInfo> {};

}  // namespace amphora::fs
