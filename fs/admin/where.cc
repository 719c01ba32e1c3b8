// Admin::PathOf: from an inode to a path that a person knows.
#include "fs/admin.h"
#include "fs/core.h"

namespace amphora::fs {

std::string Admin::PathOf(InodeId inode) {
  constexpr int kDeepest = 4096;
  std::string path;
  InodeId at = inode;
  for (int depth = 0; depth < kDeepest && at != kStoreRoot; ++depth) {
    const auto record = ReadInode(core_.store->Newest(), at);
    if (!record.ok() || !*record || !(*record)->parent.valid()) {
      return "inode " + std::to_string(inode.value());
    }
    path.insert(0, "/" + (*record)->name);
    at = (*record)->parent;
  }
  return path.empty() ? "/" : path;
}

}  // namespace amphora::fs
