#include "fs/ops/end_directory.h"

#include "fs/change_hub.h"
#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/ops/attributes.h"
#include "fs/removed_directories.h"

namespace amphora::fs {
namespace {

// As stat(2) shows it from now on: its times are in its row of sums, which goes too.
RemovedDirectory AsShown(InodeId inode, const InodeRecord& record, const meta::MergeValue& sums) {
  Attributes attributes = ToAttributes(inode, record);
  FillDirectory(attributes, sums);
  RemovedDirectory shown = RemovedDirectory::Of(record);
  shown.accessed = attributes.accessed;
  shown.modified = attributes.modified;
  return shown;
}

}  // namespace

void DirectoryEnd::Begin() {
  if (erased_.valid()) core_.removed->Take(erased_);
  erased_ = InodeId();
  orphaned_ = InodeId();
}

Status DirectoryEnd::Drop(Tx& tx, InodeId inode, EmptyDirectory directory) {
  InodeRecord& record = directory.record;
  record.links = 0;
  record.changed = tx.now();
  if (record.has_xattrs) {
    orphaned_ = inode;
    return tx.OrphanInode(inode, record);
  }
  const bool none = directory.sums == meta::MergeValue();
  AMPHORA_TRY(tx.EraseInode(inode, record, none ? Tx::Sums::kNone : Tx::Sums::kMayExist));
  // Before the commit, so that nobody finds neither this nor the row.
  erased_ = inode;
  const bool holds = origin_.valid() && core_.changes->HasOrigin(origin_);
  core_.removed->Add(inode, AsShown(inode, record, directory.sums), holds ? origin_ : OriginId());
  return Ok();
}

void DirectoryEnd::Finish() {
  erased_ = InodeId();
  if (orphaned_.valid()) core_.live->Orphaned(orphaned_, origin_);
  orphaned_ = InodeId();
}

Status RestoreRemoved(Core& core, OriginId asks, InodeId inode) {
  const auto removed = core.removed->Find(inode);
  if (!removed) return Ok();
  InodeRecord record = removed->ToRecord();
  const auto committed = core.Run(asks, [&](Tx& tx) -> Result<bool> {
    AMPHORA_ASSIGN(const auto row, tx.FindInode(inode, Lock::kExclusive));
    if (row) return false;  // another call was faster, or the removal did not commit
    AMPHORA_TRY(tx.OrphanInode(inode, record));
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
  if (const auto removed = core.removed->Find(inode)) return removed->ToRecord();
  return Error(ErrorCode::kStale, "inode");
}

}  // namespace amphora::fs
