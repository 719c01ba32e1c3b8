#include "fs/data/blob_pins.h"

namespace amphora::fs {

// `end` takes one use back when the token is dropped.
template <typename End>
std::shared_ptr<void> BlobPins::Token(Shard& shard, BlobId blob, End end) {
  return std::shared_ptr<void>(&shard, [shards = shards_, blob, end](void*) {
    Shard& shard = shards->Of(blob);
    std::lock_guard lock(shard.mutex);
    const auto found = shard.uses.find(blob);
    end(found->second);
    if (found->second.idle()) shard.uses.erase(found);
  });
}

std::shared_ptr<void> BlobPins::Pin(BlobId blob) {
  Shard& shard = shards_->Of(blob);
  {
    std::lock_guard lock(shard.mutex);
    ++shard.uses[blob].readers;
  }
  return Token(shard, blob, [](Use& use) { --use.readers; });
}

std::shared_ptr<void> BlobPins::PinForSending(BlobId blob) {
  Shard& shard = shards_->Of(blob);
  {
    std::lock_guard lock(shard.mutex);
    Use& use = shard.uses[blob];
    if (use.claimed_by.valid()) return nullptr;
    ++use.senders;
  }
  return Token(shard, blob, [](Use& use) { --use.senders; });
}

std::shared_ptr<void> BlobPins::Claim(BlobId blob, InodeId inode) {
  Shard& shard = shards_->Of(blob);
  {
    std::lock_guard lock(shard.mutex);
    Use& use = shard.uses[blob];
    if (use.claimed_by.valid() || use.senders > 0) return nullptr;
    use.claimed_by = inode;
  }
  return Token(shard, blob, [](Use& use) { use.claimed_by = InodeId(); });
}

std::optional<InodeId> BlobPins::ClaimedBy(BlobId blob) const {
  Shard& shard = shards_->Of(blob);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.uses.find(blob);
  if (found == shard.uses.end() || !found->second.claimed_by.valid()) return std::nullopt;
  return found->second.claimed_by;
}

bool BlobPins::IsPinned(BlobId blob) const {
  Shard& shard = shards_->Of(blob);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.uses.find(blob);
  return found != shard.uses.end() && (found->second.readers > 0 || found->second.senders > 0);
}

}  // namespace amphora::fs
