#include "fs/ops/displace.h"

#include <algorithm>

#include "fs/core.h"
#include "fs/data/collector.h"

namespace amphora::fs {

namespace {

// The kernel opens these by itself, so that no handle tells who has one open: only its FORGET does.
bool IsOpenedUnseen(FileKind kind) {
  switch (kind) {
    case FileKind::kFifo:
    case FileKind::kSocket:
    case FileKind::kCharacterDevice:
    case FileKind::kBlockDevice:
      return true;
    case FileKind::kRegular:
    case FileKind::kDirectory:
    case FileKind::kSymlink:
      return false;
  }
  return false;
}

}  // namespace

void Displacement::Begin() { orphans_.clear(); }

bool Displacement::Claim(InodeId inode) {
  if (std::ranges::any_of(claims_, [inode](const auto& one) { return one.first == inode; })) {
    return true;
  }
  LiveTable::Claim claim = core_.live->TryClaim(inode);
  if (!claim) return false;
  claims_.emplace_back(inode, std::move(claim));
  return true;
}

Status Displacement::DropName(Tx& tx, InodeId inode, Fate fate) {
  AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
  if (record.links > 1) {
    --record.links;
    record.changed = tx.now();
    AMPHORA_TRY(tx.PutInode(inode, record));
    tx.AddAttributeChange(inode, record.bucket);
    return Ok();
  }
  AMPHORA_TRY(tx.AddUsage(record.bucket, -1, 0, -static_cast<std::int64_t>(record.size)));
  const bool known = tx.origin().valid() && (fate == Fate::kTaken || IsOpenedUnseen(record.kind));
  if (!known && Claim(inode)) return tx.EraseInode(inode, record);
  record.changed = tx.now();
  AMPHORA_TRY(tx.OrphanInode(inode, record));
  tx.AddAttributeChange(inode, record.bucket);
  orphans_.emplace_back(inode, known ? tx.origin() : OriginId());
  return Ok();
}

void Displacement::Finish() {
  for (const auto& [inode, origin] : orphans_) core_.live->Orphaned(inode, origin);
  if (!claims_.empty()) core_.collector->Kick();
}

}  // namespace amphora::fs
