#include "fs/ops/displace.h"

#include <algorithm>

#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/ops/unlink_inode.h"

namespace amphora::fs {

void Displacement::Prepare(Core& core, InodeId inode, const InodeRecord& record) {
  if (record.links > 1 || Claimed(inode)) return;
  LiveTable::Claim claim = core.live->TryClaim(inode);
  if (claim) claims_.emplace_back(inode, std::move(claim));
}

bool Displacement::Claimed(InodeId inode) const {
  return std::ranges::any_of(claims_, [inode](const auto& entry) { return entry.first == inode; });
}

void Displacement::Begin() { orphans_.clear(); }

Status Displacement::DropName(Tx& tx, InodeId inode) {
  AMPHORA_ASSIGN(const AfterUnlink after, fs::DropName(tx, inode, Claimed(inode)));
  if (after == AfterUnlink::kOrphaned) orphans_.push_back(inode);
  return Ok();
}

void Displacement::Finish(Core& core) {
  for (const InodeId inode : orphans_) core.live->Orphaned(inode, OriginId());
  if (!claims_.empty()) core.collector->Kick();
}

}  // namespace amphora::fs
