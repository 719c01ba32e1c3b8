// Which blobs a reader (GET, copy) has pinned: nobody writes into such a blob; a writer copies it
// first. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "fs/types.h"

namespace amphora::fs {

class BlobPins {
 public:
  // Pinned until the answer, and every copy of it, is dropped. May outlive this object.
  std::shared_ptr<void> Pin(BlobId blob);
  bool IsPinned(BlobId blob) const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<BlobId, std::size_t> counts;  // guarded by mutex
  };
  struct Shards {
    std::array<Shard, 16> shards;
    Shard& Of(BlobId blob) { return shards[blob.value() % shards.size()]; }
  };
  std::shared_ptr<Shards> shards_ = std::make_shared<Shards>();
};

}  // namespace amphora::fs
