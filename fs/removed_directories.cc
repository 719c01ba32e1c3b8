#include "fs/removed_directories.h"

#include <utility>
#include <vector>

namespace amphora::fs {

void RemovedDirectories::Add(InodeId inode, const InodeRecord& record, OriginId holder) {
  std::lock_guard lock(mutex_);
  entries_.insert_or_assign(inode, Entry{record, holder});
  if (!holder.valid()) BecomeUnsure(inode);
  size_.store(entries_.size());
}

std::optional<InodeRecord> RemovedDirectories::Find(InodeId inode) const {
  if (size_.load() == 0) return std::nullopt;
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(inode);
  if (found == entries_.end()) return std::nullopt;
  return found->second.record;
}

OriginId RemovedDirectories::Take(InodeId inode) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(inode);
  if (found == entries_.end()) return OriginId();
  const OriginId holder = found->second.holder;
  Erase(inode);
  return holder;
}

void RemovedDirectories::Forget(OriginId origin, InodeId inode, bool others) {
  if (size_.load() == 0) return;
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(inode);
  if (found == entries_.end() || found->second.holder != origin) return;
  if (others) {
    BecomeUnsure(inode);
  } else {
    Erase(inode);
  }
}

void RemovedDirectories::ForgetAll(OriginId origin) {
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [origin](const auto& one) { return one.second.holder == origin; });
  size_.store(entries_.size());
}

void RemovedDirectories::BecomeUnsure(InodeId inode) {
  entries_.at(inode).holder = OriginId();
  unsure_.push_back(inode);
  while (unsure_.size() > kMostUnsure) {
    const auto oldest = entries_.find(std::exchange(unsure_.front(), InodeId()));
    unsure_.pop_front();
    if (oldest != entries_.end() && !oldest->second.holder.valid()) entries_.erase(oldest);
  }
  size_.store(entries_.size());
}

void RemovedDirectories::Erase(InodeId inode) {
  entries_.erase(inode);
  size_.store(entries_.size());
}

}  // namespace amphora::fs
