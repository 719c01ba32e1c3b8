// unlink(2) and rmdir(2).
#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/data/live.h"
#include "fs/files.h"
#include "fs/ops/unlink_inode.h"
#include "fs/ops/visible.h"

namespace amphora::fs {

Result<AfterUnlink> DropName(Tx& tx, InodeId inode, bool claim) {
  AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
  if (record.links > 1) {
    --record.links;
    record.changed = tx.now();
    AMPHORA_TRY(tx.PutInode(inode, record));
    tx.AddAttributeChange(inode, record.bucket);
    return AfterUnlink::kNothing;
  }
  AMPHORA_TRY(tx.AddUsage(record.bucket, -1, 0, -static_cast<std::int64_t>(record.size)));
  if (claim) {
    AMPHORA_TRY(tx.EraseInode(inode, record));
    return AfterUnlink::kNothing;
  }
  record.changed = tx.now();
  AMPHORA_TRY(tx.OrphanInode(inode, record));
  tx.AddAttributeChange(inode, record.bucket);
  return AfterUnlink::kOrphaned;
}

namespace {

// The inode that the name shows now; the claim on it must be taken outside the transaction.
Result<InodeId> PeekFile(Core& core, InodeId parent, std::string_view name) {
  AMPHORA_ASSIGN(const Target target, ReadTarget(core.store->Newest(), parent, name));
  const DentryRecord* shown = target.Shown();
  if (shown == nullptr) return Error(ErrorCode::kNotFound);
  if (shown->kind == FileKind::kDirectory) return Error(ErrorCode::kIsDirectory);
  return shown->inode;
}

struct Unlinked {
  bool again = false;  // the name means another inode than the one claimed
  AfterUnlink after = AfterUnlink::kNothing;
};

Result<Unlinked> UnlinkIn(Tx& tx, InodeId parent, std::string_view name, InodeId expected,
                          bool claim) {
  AMPHORA_ASSIGN(const InodeRecord parent_record, LockParentToAdd(tx, parent, ParentUse::kPosix));
  AMPHORA_ASSIGN(Target target, ReadTarget(tx, parent, name, Lock::kExclusive));
  const DentryRecord* shown = target.Shown();
  if (shown == nullptr) return Error(ErrorCode::kNotFound);
  if (shown->inode != expected) return Unlinked{.again = true};
  AMPHORA_TRY(RemoveEntry(tx, target.slot, parent_record.bucket, false));
  AMPHORA_ASSIGN(const AfterUnlink after, DropName(tx, expected, claim));
  return Unlinked{false, after};
}

}  // namespace

Status Files::Unlink(const Caller& caller, InodeId parent, std::string_view name) {
  for (;;) {
    AMPHORA_ASSIGN(const InodeId inode, PeekFile(core_, parent, name));
    const LiveTable::Claim claim = core_.live->TryClaim(inode);
    const auto committed = core_.Run(caller.origin, [&](Tx& tx) {
      return UnlinkIn(tx, parent, name, inode, static_cast<bool>(claim));
    });
    if (!committed.ok()) return committed.error();
    if (committed->value.again) continue;
    core_.live->NoteCommit(inode, committed->ticket);
    if (committed->value.after == AfterUnlink::kOrphaned) {
      core_.live->Orphaned(inode, OriginId());
    } else {
      core_.collector->Kick();
    }
    return Ok();
  }
}

Status Files::RemoveDirectory(const Caller& caller, InodeId parent, std::string_view name) {
  const auto committed = core_.Run(caller.origin, [&](Tx& tx) -> Result<InodeId> {
    AMPHORA_ASSIGN(const InodeRecord parent_record, LockParentToAdd(tx, parent, ParentUse::kPosix));
    AMPHORA_ASSIGN(Target target, ReadTarget(tx, parent, name, Lock::kExclusive));
    const DentryRecord* shown = target.Shown();
    if (shown == nullptr) return Error(ErrorCode::kNotFound);
    if (shown->kind != FileKind::kDirectory) return Error(ErrorCode::kNotDirectory);
    const InodeId inode = shown->inode;
    AMPHORA_ASSIGN(InodeRecord record, CheckEmptyExclusively(tx, inode));
    AMPHORA_TRY(RemoveEntry(tx, target.slot, parent_record.bucket, true));
    AMPHORA_TRY(tx.AddUsage(record.bucket, 0, -1, 0));
    record.changed = tx.now();
    AMPHORA_TRY(tx.OrphanInode(inode, record));
    return inode;
  });
  if (!committed.ok()) return committed.error();
  core_.live->Orphaned(committed->value, caller.origin);
  return Ok();
}

}  // namespace amphora::fs
