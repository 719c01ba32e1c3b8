#include "fs/ops/end_directory.h"

#include "fs/change_hub.h"
#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/ops/attributes.h"
#include "fs/removed_directories.h"

namespace amphora::fs {
namespace {

// As stat(2) shows it from now on: its times are in its row of sums, which goes too.
Result<InodeRecord> AsShown(Tx& tx, InodeId inode, InodeRecord record) {
  AMPHORA_ASSIGN(const meta::MergeValue sums, ReadSums(tx.core(), tx.kv(), inode));
  Attributes attributes = ToAttributes(inode, record);
  FillDirectory(attributes, sums);
  record.accessed = attributes.accessed;
  record.modified = attributes.modified;
  return record;
}

}  // namespace

void DirectoryEnd::Begin() {
  if (erased_.valid()) core_.removed->Take(erased_);
  erased_ = InodeId();
  orphaned_ = InodeId();
}

Status DirectoryEnd::Drop(Tx& tx, InodeId inode, InodeRecord record) {
  record.links = 0;
  record.changed = tx.now();
  if (record.has_xattrs) {
    orphaned_ = inode;
    return tx.OrphanInode(inode, record);
  }
  AMPHORA_ASSIGN(const InodeRecord shown, AsShown(tx, inode, record));
  AMPHORA_TRY(tx.EraseInode(inode, record));
  // Before the commit, so that nobody finds neither this nor the row.
  erased_ = inode;
  const bool holds = origin_.valid() && core_.changes->HasOrigin(origin_);
  core_.removed->Add(inode, shown, holds ? origin_ : OriginId());
  return Ok();
}

void DirectoryEnd::Finish() {
  erased_ = InodeId();
  if (orphaned_.valid()) core_.live->Orphaned(orphaned_, origin_);
  orphaned_ = InodeId();
}

Status RestoreRemoved(Core& core, OriginId asks, InodeId inode) {
  auto removed = core.removed->Find(inode);
  if (!removed) return Ok();
  const auto committed = core.Run(asks, [&](Tx& tx) -> Result<bool> {
    AMPHORA_ASSIGN(const auto row, tx.FindInode(inode, Lock::kExclusive));
    if (row) return false;  // another call was faster, or the removal did not commit
    AMPHORA_TRY(tx.OrphanInode(inode, *removed));
    return true;
  });
  if (!committed.ok()) return committed.error();
  if (!committed->value) return Ok();
  const OriginId holder = core.removed->Take(inode);
  core.live->Orphaned(inode, asks);
  if (holder.valid() && holder != asks) core.live->Orphaned(inode, holder);
  return Ok();
}

Result<InodeRecord> ReadHeldInode(Core& core, meta::Reader& reader, InodeId inode) {
  AMPHORA_ASSIGN(auto record, ReadInode(reader, inode));
  if (record) return std::move(*record);
  if (auto removed = core.removed->Find(inode)) return std::move(*removed);
  return Error(ErrorCode::kStale, "inode");
}

}  // namespace amphora::fs
