// Tells this mount's kernel what it must forget: the sink of the engine's change events.
//
// A change goes into the queue of its directory; a few threads send what is queued, holding no
// lock. A notification may wait for the kernel's directory lock, whose holder waits for a FUSE
// thread; no FUSE thread ever waits for this class (hazards 2.2), so that cannot deadlock. Changes
// of one commit stay in one queue: entries first, since inval_entry waits for a CREATE in flight,
// whose attributes the notification after it then finds (hazards 3.2).
//
// Locks: each shard has its own, then the fences'. None is held while the kernel is told.
// Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "fs/changes.h"
#include "mount/fuse.h"
#include "mount/name_probe.h"
#include "mount/recent_names.h"

namespace amphora::mount {

class Invalidator final : public fs::ChangeSink {
 public:
  struct Target {
    fuse_session* session = nullptr;
    fs::InodeId root;     // the kernel's inode 1
    fs::OriginId origin;  // whose changes this kernel knows already
    fs::BucketId bucket;  // of a mount of one bucket; else 0
    const RecentNames* recent_names = nullptr;
  };

  Invalidator() = default;
  ~Invalidator() override { Stop(); }

  // Changes are dropped before Start and after Stop: there is no kernel to tell.
  void Start(const Target& target);
  void Stop();
  void SetMode(NameInvalidation mode) { mode_ = mode; }
  NameInvalidation mode() const { return mode_; }
  std::uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }

  void OnChanges(const std::vector<fs::Change>& changes) override;
  void Fence(std::function<void()> done) override;

 private:
  struct PendingFence {
    std::atomic<int> shards_left{1};
    std::atomic<bool> finished{false};
    std::int64_t deadline = 0;
    std::function<void()> done;
    void Finish() {
      if (!finished.exchange(true)) std::exchange(done, nullptr)();
    }
    void ShardPassed() {
      if (shards_left.fetch_sub(1) == 1) Finish();
    }
  };
  struct Shard {
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<fs::Change> queue;
    std::uint64_t queued = 0;  // changes ever put into the queue
    std::uint64_t told = 0;    // changes of which the kernel was told
    std::deque<std::pair<std::uint64_t, std::shared_ptr<PendingFence>>> fences;
    std::thread thread;
  };

  bool Concerns(const fs::Change& change) const;
  void Work(Shard& shard);
  void Tell(const std::vector<fs::Change>& changes);
  void TellEntry(const fs::Change& change);
  void TellInode(fs::InodeId inode, bool content);
  void WatchFences();
  std::vector<std::shared_ptr<PendingFence>> TakeOverdue(std::int64_t now);

  static constexpr std::size_t kShards = 4;

  Target target_;
  std::atomic<bool> running_{false};
  std::atomic<NameInvalidation> mode_{NameInvalidation::kTimeout};
  std::atomic<std::uint64_t> sent_{0};
  std::array<Shard, kShards> shards_;

  std::mutex fences_mutex_;
  std::condition_variable fences_wake_;
  std::deque<std::shared_ptr<PendingFence>> fences_;  // guarded by fences_mutex_; by deadline
  std::thread watch_;
};

}  // namespace amphora::mount
