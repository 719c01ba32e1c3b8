#include "fs/change_hub.h"

#include <algorithm>
#include <mutex>

namespace amphora::fs {

OriginId ChangeHub::Add(ChangeSink* sink) {
  const OriginId origin(next_.fetch_add(1));
  std::unique_lock lock(mutex_);
  sinks_.emplace_back(origin, sink);
  count_.store(sinks_.size(), std::memory_order_release);
  return origin;
}

void ChangeHub::Remove(OriginId origin) {
  std::unique_lock lock(mutex_);
  std::erase_if(sinks_, [origin](const auto& entry) { return entry.first == origin; });
  count_.store(sinks_.size(), std::memory_order_release);
}

bool ChangeHub::HasOrigin(OriginId origin) const {
  std::shared_lock lock(mutex_);
  return std::any_of(sinks_.begin(), sinks_.end(),
                     [origin](const auto& entry) { return entry.first == origin; });
}

void ChangeHub::Publish(const std::vector<Change>& changes) {
  if (changes.empty() || empty()) return;
  std::shared_lock lock(mutex_);
  for (const auto& [origin, sink] : sinks_) sink->OnChanges(changes);
}

void ChangeHub::Fence(std::function<void()> done) {
  if (empty()) {
    done();
    return;
  }
  struct Waiting {
    std::atomic<std::size_t> left;
    std::function<void()> done;
  };
  auto waiting = std::make_shared<Waiting>();
  waiting->done = std::move(done);
  const auto one_less = [waiting] {
    if (waiting->left.fetch_sub(1) == 1) waiting->done();
  };
  {
    std::shared_lock lock(mutex_);
    waiting->left = sinks_.size() + 1;
    for (const auto& [origin, sink] : sinks_) sink->Fence(one_less);
  }
  one_less();
}

}  // namespace amphora::fs
