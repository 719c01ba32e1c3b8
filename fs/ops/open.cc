// open(2) of an existing file, fsync(2) of a directory, forget.
#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/files.h"
#include "fs/ops/attributes.h"

namespace amphora::fs {

Result<OpenedFile> Files::Open(const Caller& caller, InodeId inode, const OpenOptions& options) {
  AMPHORA_ASSIGN(auto live, core_.live->Acquire(inode));
  AMPHORA_ASSIGN(auto handle,
                 OpenHandle(core_, std::move(live), caller, options, Freshness::kExisting));
  Attributes attributes = handle->GetAttributes();
  return OpenedFile{attributes, std::move(handle)};
}

Status Files::SyncDirectory(InodeId) { return core_.store->WaitDurable(core_.store->LastTicket()); }

void Files::Forget(OriginId origin, InodeId inode) { core_.live->Forget(origin, inode); }

}  // namespace amphora::fs
