// Change events: what the engine tells the mounts after a commit, so that their kernels forget
// exactly what is no longer true. Published with no engine lock held, before the mutating call
// returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fs/types.h"

namespace amphora::fs {

struct Change {
  enum class What : std::uint8_t {
    kEntry,       // `name` in directory `inode` now means something else, or nothing
    kAttributes,  // of `inode`
    kContent,     // bytes and attributes of `inode`
  };
  What what = What::kEntry;
  InodeId inode;     // the parent directory for kEntry
  std::string name;  // visible name, for kEntry
  // kEntry: the inode the name meant before (0: none known), for mounts that keep something by
  // inode.
  InodeId old_inode;
  BucketId bucket;  // 0: the change is above buckets (volumes)
  OriginId origin;  // whose kernel knows already; 0: S3
};

// A mount's invalidator. OnChanges must be quick: it queues. Called on the thread that made the
// change.
class ChangeSink {
 public:
  virtual ~ChangeSink() = default;
  virtual void OnChanges(const std::vector<Change>& changes) = 0;
  // Calls `done` once everything queued before this call has been sent to the kernel, or after the
  // sink's own bound (2 s) with the failure logged and counted. May call it here and now.
  virtual void Fence(std::function<void()> done) = 0;
};

}  // namespace amphora::fs
