#include "fs/removed_directories.h"

#include <utility>
#include <vector>

namespace amphora::fs {

RemovedDirectory RemovedDirectory::Of(const InodeRecord& record) {
  return {.parent = record.parent,
          .bucket = record.bucket,
          .permissions = record.permissions,
          .uid = record.uid,
          .gid = record.gid,
          .accessed = record.accessed,
          .modified = record.modified,
          .changed = record.changed,
          .born = record.born};
}

InodeRecord RemovedDirectory::ToRecord() const {
  InodeRecord record;
  record.kind = FileKind::kDirectory;
  record.links = 0;
  record.parent = parent;
  record.bucket = bucket;
  record.permissions = permissions;
  record.uid = uid;
  record.gid = gid;
  record.accessed = accessed;
  record.modified = modified;
  record.changed = changed;
  record.born = born;
  return record;
}

void RemovedDirectories::Add(InodeId inode, const RemovedDirectory& directory, OriginId holder) {
  std::lock_guard lock(mutex_);
  entries_.insert_or_assign(inode, Entry{directory, holder});
  if (!holder.valid()) BecomeUnsure(inode);
  size_.store(entries_.size());
}

std::optional<RemovedDirectory> RemovedDirectories::Find(InodeId inode) const {
  if (size_.load() == 0) return std::nullopt;
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(inode);
  if (found == entries_.end()) return std::nullopt;
  return found->second.directory;
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
