#include "fs/data/blob_pins.h"

namespace amphora::fs {

std::shared_ptr<void> BlobPins::Pin(BlobId blob) {
  Shard& shard = shards_->Of(blob);
  {
    std::lock_guard lock(shard.mutex);
    ++shard.counts[blob];
  }
  return std::shared_ptr<void>(&shard, [shards = shards_, blob](void*) {
    Shard& shard = shards->Of(blob);
    std::lock_guard lock(shard.mutex);
    const auto found = shard.counts.find(blob);
    if (--found->second == 0) shard.counts.erase(found);
  });
}

bool BlobPins::IsPinned(BlobId blob) const {
  Shard& shard = shards_->Of(blob);
  std::lock_guard lock(shard.mutex);
  return shard.counts.contains(blob);
}

}  // namespace amphora::fs
