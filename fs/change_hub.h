// Hands change events to every registered mount, and tells when all of them have passed them on.
// Thread-safe. Never calls a sink with a lock of the engine held.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "fs/changes.h"

namespace amphora::fs {

class ChangeHub {
 public:
  OriginId Add(ChangeSink* sink);
  // Returns when no call into the sink is running.
  void Remove(OriginId origin);
  void Publish(const std::vector<Change>& changes);
  // `done` once every sink has sent what was published before.
  void Fence(std::function<void()> done);
  bool HasOrigin(OriginId origin) const;
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  std::size_t size() const { return count_.load(std::memory_order_acquire); }

 private:
  mutable std::shared_mutex mutex_;
  std::vector<std::pair<OriginId, ChangeSink*>> sinks_;  // guarded by mutex_
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> next_{1};
};

}  // namespace amphora::fs
