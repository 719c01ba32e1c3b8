// The inner parts of LiveTable; only fs/data includes this.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <unordered_map>

#include "fs/data/blob_pins.h"
#include "fs/data/live.h"

namespace amphora::fs {

// One inode that is live, being removed, or an orphan that a kernel still knows.
struct LiveTable::Entry {
  std::shared_ptr<LiveInode> live;  // null for orphans that nobody has open
  std::uint64_t holds = 0;          // answers of Acquire that are not dropped yet
  bool loading = false;             // one holder reads the row
  bool claimed = false;             // a Claim is out
  bool reaping = false;
  bool orphan = false;
  std::set<OriginId> known_by;  // kernels that know the orphan

  bool Busy() const { return loading || claimed || reaping; }
  bool Idle() const { return holds == 0 && !Busy() && !live && !orphan; }
};

struct LiveTable::Shard {
  static constexpr std::size_t kRecent = 256;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::unordered_map<InodeId, Entry> entries;   // guarded by mutex
  std::unordered_map<InodeId, Settled> recent;  // guarded by mutex
  std::deque<InodeId> recent_order;             // guarded by mutex: oldest first
};

struct LiveTable::State {
  static constexpr std::size_t kShards = 64;

  std::array<Shard, kShards> shards;
  BlobPins pins;
  BlobPins keeps;
  std::atomic<std::uint64_t> handles{0};
  std::atomic<std::uint64_t> orphans{0};  // entries that are orphans; Forget is free while it is 0
};

}  // namespace amphora::fs
