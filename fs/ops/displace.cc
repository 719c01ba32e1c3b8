#include "fs/ops/displace.h"

#include <algorithm>

#include "fs/core.h"
#include "fs/data/collector.h"

namespace amphora::fs {

void Displacement::Prepare(Core& core, InodeId inode, const InodeRecord& record) {
  if (record.links > 1 || Claimed(inode)) return;
  LiveTable::RemovalClaim claim = core.live->TryClaimRemoval(inode);
  if (claim) claims_.emplace_back(inode, std::move(claim));
}

bool Displacement::Claimed(InodeId inode) const {
  return std::ranges::any_of(claims_, [inode](const auto& entry) { return entry.first == inode; });
}

void Displacement::Begin() {
  orphans_.clear();
  freed_blob_ = false;
}

Status Displacement::DropName(Tx& tx, InodeId inode, InodeRecord record) {
  const bool last = record.links <= 1;
  AMPHORA_TRY(
      tx.AddUsage(record.bucket, -1, 0, last ? -static_cast<std::int64_t>(record.size) : 0));
  if (last && Claimed(inode)) {
    freed_blob_ |= record.content == ContentKind::kBlob;
    return tx.EraseInode(inode, record);
  }
  record.links = last ? 0 : record.links - 1;
  record.changed = tx.now();
  AMPHORA_TRY(tx.PutInode(inode, record));
  tx.AddChange({.what = Change::What::kAttributes,
                .inode = inode,
                .name = {},
                .old_inode = {},
                .bucket = record.bucket,
                .origin = {}});
  if (!last) return Ok();
  AMPHORA_TRY(tx.kv().PutFresh(Table::kRows, OrphanKey(inode), ""));
  orphans_.push_back(inode);
  return Ok();
}

void Displacement::Finish(Core& core, OriginId origin) {
  for (const InodeId inode : orphans_) core.live->Orphaned(inode, origin);
  if (freed_blob_) core.collector->Kick();
}

}  // namespace amphora::fs
