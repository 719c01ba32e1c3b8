#include "mount/invalidator.h"

#include <cerrno>
#include <chrono>
#include <map>
#include <set>
#include <string>

#include "meta/base/clock.h"
#include "meta/base/log_limit.h"
#include "meta/base/metrics.h"

namespace amphora::mount {
namespace {

constexpr std::int64_t kFenceBound = 2'000'000'000;  // ns; hazards 2.2

}  // namespace

void Invalidator::Start(const Target& target) {
  target_ = target;
  running_ = true;
  for (Shard& shard : shards_) shard.thread = std::thread([this, &shard] { Work(shard); });
  watch_ = std::thread([this] { WatchFences(); });
}

void Invalidator::Stop() {
  if (!running_.exchange(false)) return;
  for (Shard& shard : shards_) {
    { std::lock_guard lock(shard.mutex); }
    shard.wake.notify_all();
    shard.thread.join();
  }
  { std::lock_guard lock(fences_mutex_); }
  fences_wake_.notify_all();
  watch_.join();
  // What is still queued needs no telling: the kernel's caches of this mount are gone with it.
  for (Shard& shard : shards_) {
    std::unique_lock lock(shard.mutex);
    const auto fences = std::exchange(shard.fences, {});
    lock.unlock();
    for (const auto& [position, fence] : fences) fence->ShardPassed();
  }
}

bool Invalidator::Concerns(const fs::Change& change) const {
  if (change.origin == target_.origin) return false;
  return !target_.bucket.valid() || !change.bucket.valid() || change.bucket == target_.bucket;
}

void Invalidator::OnChanges(const std::vector<fs::Change>& changes) {
  if (!running_ || changes.empty()) return;
  const fs::Change* leader = &changes.front();
  for (const fs::Change& change : changes) {
    if (change.what == fs::Change::What::kEntry) {
      leader = &change;
      break;
    }
  }
  Shard& shard = shards_[std::hash<fs::InodeId>()(leader->inode) % kShards];
  bool wake = false;
  {
    std::lock_guard lock(shard.mutex);
    for (const fs::Change& change : changes) {
      if (!Concerns(change)) continue;
      wake = wake || shard.queue.empty();
      shard.queue.push_back(change);
      ++shard.queued;
    }
  }
  if (wake) shard.wake.notify_one();
}

void Invalidator::Fence(std::function<void()> done) {
  if (!running_) {
    done();
    return;
  }
  const auto fence = std::make_shared<PendingFence>();
  fence->done = std::move(done);
  fence->deadline = MonotonicNow() + kFenceBound;
  for (Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    if (!running_ || shard.told == shard.queued) continue;
    ++fence->shards_left;
    shard.fences.emplace_back(shard.queued, fence);
  }
  fence->ShardPassed();  // the one that this call held
  if (fence->finished) return;
  bool wake = false;
  {
    std::lock_guard lock(fences_mutex_);
    wake = fences_.empty();
    fences_.push_back(fence);
  }
  if (wake) fences_wake_.notify_one();
}

void Invalidator::Work(Shard& shard) {
  std::vector<fs::Change> batch;
  std::unique_lock lock(shard.mutex);
  while (true) {
    shard.wake.wait(lock, [&] { return !running_ || !shard.queue.empty(); });
    if (!running_) return;
    batch.clear();
    batch.swap(shard.queue);
    lock.unlock();
    Tell(batch);
    lock.lock();
    shard.told += batch.size();
    std::vector<std::shared_ptr<PendingFence>> passed;
    while (!shard.fences.empty() && shard.fences.front().first <= shard.told) {
      passed.push_back(std::move(shard.fences.front().second));
      shard.fences.pop_front();
    }
    if (passed.empty()) continue;
    lock.unlock();
    for (const auto& fence : passed) fence->ShardPassed();
    lock.lock();
  }
}

// Directories and inodes are told once for all changes of one batch (hazards 3.1).
void Invalidator::Tell(const std::vector<fs::Change>& changes) {
  std::set<fs::InodeId> directories;
  std::map<fs::InodeId, bool> inodes;  // true: their content too
  for (const fs::Change& change : changes) {
    switch (change.what) {
      case fs::Change::What::kEntry:
        TellEntry(change);
        directories.insert(change.inode);
        break;
      case fs::Change::What::kAttributes:
        inodes.try_emplace(change.inode, false);
        break;
      case fs::Change::What::kContent:
        inodes[change.inode] = true;
        break;
    }
  }
  for (const fs::InodeId directory : directories) {
    TellInode(directory, true);
    inodes.erase(directory);
  }
  for (const auto& [inode, content] : inodes) TellInode(inode, content);
}

void Invalidator::TellEntry(const fs::Change& change) {
  const fuse_ino_t parent = change.inode == target_.root ? FUSE_ROOT_ID : change.inode.value();
  const int result = fuse_lowlevel_notify_inval_entry(target_.session, parent, change.name.data(),
                                                      change.name.size());
  Count(Counter::kMountInvalidations);
  sent_.fetch_add(1, std::memory_order_relaxed);
  if (result == -ENOENT && mode_ == NameInvalidation::kEpoch &&
      target_.recent_names->WasNoted(change.inode, change.name)) {
    // A LOOKUP of it may be in flight and install what it found before: let every name be asked
    // again.
    fuse_lowlevel_notify_increment_epoch(target_.session);
    Count(Counter::kMountInvalidations);
    sent_.fetch_add(1, std::memory_order_relaxed);
  }
}

void Invalidator::TellInode(fs::InodeId inode, bool content) {
  const fuse_ino_t node = inode == target_.root ? FUSE_ROOT_ID : inode.value();
  // A negative offset: attributes only; (0, 0): the pages or the cached listing as well.
  fuse_lowlevel_notify_inval_inode(target_.session, node, content ? 0 : -1, 0);
  Count(Counter::kMountInvalidations);
  sent_.fetch_add(1, std::memory_order_relaxed);
}

void Invalidator::WatchFences() {
  std::unique_lock lock(fences_mutex_);
  while (running_) {
    if (fences_.empty()) {
      fences_wake_.wait(lock);
      continue;
    }
    const std::int64_t wait = fences_.front()->deadline - MonotonicNow();
    if (wait > 0) fences_wake_.wait_for(lock, std::chrono::nanoseconds(wait));
    const auto overdue = TakeOverdue(MonotonicNow());
    lock.unlock();
    for (const auto& fence : overdue) {
      Count(Counter::kMountFenceTimeouts);
      LogLimited(LogLevel::kWarning, "fence timeout",
                 "a kernel did not take an invalidation for 2 s; not waiting longer");
      fence->Finish();
    }
    lock.lock();
  }
  fences_.clear();
}

std::vector<std::shared_ptr<Invalidator::PendingFence>> Invalidator::TakeOverdue(std::int64_t now) {
  std::vector<std::shared_ptr<PendingFence>> overdue;
  while (!fences_.empty() && (fences_.front()->finished || fences_.front()->deadline <= now)) {
    if (!fences_.front()->finished) overdue.push_back(std::move(fences_.front()));
    fences_.pop_front();
  }
  return overdue;
}

}  // namespace amphora::mount
