// Who reads a blob, or has its file in the kernel's hands, and so must not meet a writer. In
// memory; thread-safe.
//
//  - A *pin*: somebody reads the blob through its Blob object, or is about to name it in a row.
//    Who wants to write into it makes a copy first: of the blob for itself, or, when the kernel
//    holds the file for it, of the blob for all others (LiveInode::SplitHeld).
//  - A pin *for sending*: sendfile(2) hands pages of the file to a socket. Nobody can put a copy in
//    its place, so the file can't go into the kernel's hands meanwhile.
//  - A *claim*: the kernel has the file open for one inode (passthrough). At most one inode has it,
//    since a writer of one would write into the other's bytes.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "fs/types.h"

namespace amphora::fs {

class BlobPins {
 public:
  // Pinned until the answer, and every copy of it, is dropped. May outlive this object.
  std::shared_ptr<void> Pin(BlobId blob);
  // Null while the blob is claimed: read it through its Blob object then.
  std::shared_ptr<void> PinForSending(BlobId blob);
  // Null while another has a claim or a pin for sending.
  std::shared_ptr<void> Claim(BlobId blob, InodeId inode);
  std::optional<InodeId> ClaimedBy(BlobId blob) const;
  // Of either kind.
  bool IsPinned(BlobId blob) const;

 private:
  struct Use {
    std::size_t readers = 0;
    std::size_t senders = 0;
    InodeId claimed_by;
    bool idle() const { return readers == 0 && senders == 0 && !claimed_by.valid(); }
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<BlobId, Use> uses;  // guarded by mutex
  };
  struct Shards {
    std::array<Shard, 16> shards;
    Shard& Of(BlobId blob) { return shards[blob.value() % shards.size()]; }
  };
  template <typename End>
  std::shared_ptr<void> Token(Shard& shard, BlobId blob, End end);

  std::shared_ptr<Shards> shards_ = std::make_shared<Shards>();
};

}  // namespace amphora::fs
