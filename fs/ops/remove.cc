// unlink(2) and rmdir(2).
#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/files.h"
#include "fs/ops/displace.h"
#include "fs/ops/end_directory.h"
#include "fs/ops/visible.h"

namespace amphora::fs {

Status Files::Unlink(const Caller& caller, InodeId parent, std::string_view name) {
  Displacement displaced(core_);
  const auto committed = core_.Run(caller.origin, [&](Tx& tx) -> Result<InodeId> {
    displaced.Begin();
    AMPHORA_ASSIGN(const InodeRecord parent_record, LockParentToAdd(tx, parent, ParentUse::kPosix));
    AMPHORA_ASSIGN(Target target, ReadTarget(tx, parent, name, Lock::kExclusive));
    const DentryRecord* shown = target.Shown();
    if (shown == nullptr) return Error(ErrorCode::kNotFound);
    if (shown->kind == FileKind::kDirectory) return Error(ErrorCode::kIsDirectory);
    const InodeId inode = shown->inode;
    AMPHORA_TRY(RemoveEntry(tx, target.slot, parent_record.bucket, false));
    AMPHORA_TRY(displaced.DropName(tx, inode));
    return inode;
  });
  if (!committed.ok()) return committed.error();
  core_.live->NoteCommit(committed->value, committed->ticket);
  displaced.Finish();
  return Ok();
}

Status Files::RemoveDirectory(const Caller& caller, InodeId parent, std::string_view name) {
  DirectoryEnd end(core_, caller.origin);
  const auto committed = core_.Run(caller.origin, [&](Tx& tx) -> Status {
    end.Begin();
    AMPHORA_ASSIGN(const InodeRecord parent_record, LockParentToAdd(tx, parent, ParentUse::kPosix));
    AMPHORA_ASSIGN(Target target, ReadTarget(tx, parent, name, Lock::kExclusive));
    const DentryRecord* shown = target.Shown();
    if (shown == nullptr) return Error(ErrorCode::kNotFound);
    if (shown->kind != FileKind::kDirectory) return Error(ErrorCode::kNotDirectory);
    const InodeId inode = shown->inode;
    AMPHORA_ASSIGN(EmptyDirectory empty, CheckEmptyExclusively(tx, inode));
    AMPHORA_TRY(RemoveEntry(tx, target.slot, parent_record.bucket, true));
    AMPHORA_TRY(tx.AddUsage(empty.record.bucket, 0, -1, 0));
    return end.Drop(tx, inode, std::move(empty));
  });
  if (!committed.ok()) return committed.error();
  end.Finish();
  return Ok();
}

}  // namespace amphora::fs
