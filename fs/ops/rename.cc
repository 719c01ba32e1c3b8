// rename(2) and renameat2(2) with RENAME_NOREPLACE and RENAME_EXCHANGE, by the rules of
// hazards 4.1: a file and a directory of one name can stand side by side, so the kind of what moves
// chooses the row it takes.
#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/files.h"
#include "fs/ops/displace.h"
#include "fs/ops/end_directory.h"
#include "fs/ops/visible.h"

namespace amphora::fs {
namespace {

struct Outcome {
  InodeId source{};
  InodeId sync_first{};  // nothing was done: this file's content must be on disk before
};

// Moves are transactions of many steps; this holds what they share.
class Rename {
 public:
  // `synced`: a source whose content is on disk.
  Rename(Tx& tx, const RenameRequest& request, Displacement& displaced, DirectoryEnd& replaced,
         InodeId synced)
      : tx_(tx), request_(request), displaced_(displaced), replaced_(replaced), synced_(synced) {}

  Result<Outcome> Run() {
    AMPHORA_TRY(LockParents());
    AMPHORA_ASSIGN(from_,
                   ReadTarget(tx_, request_.from_parent, request_.from_name, Lock::kExclusive));
    const DentryRecord* source = from_.Shown();
    if (source == nullptr) return Error(ErrorCode::kNotFound);
    source_ = *source;
    if (request_.mode == RenameMode::kExchange) return Exchange();
    return Move();
  }

 private:
  bool MovesDirectory() const { return source_.kind == FileKind::kDirectory; }

  Status LockParents() {
    AMPHORA_ASSIGN(const InodeRecord from,
                   LockParentToAdd(tx_, request_.from_parent, ParentUse::kPosix));
    bucket_ = from.bucket;
    if (request_.to_parent == request_.from_parent) return Ok();
    AMPHORA_ASSIGN(const InodeRecord to,
                   LockParentToAdd(tx_, request_.to_parent, ParentUse::kPosix));
    if (to.bucket != from.bucket) return Error(ErrorCode::kCrossBucket);
    return Ok();
  }

  bool SameSlot() const {
    return request_.from_parent == request_.to_parent && from_.slot.raw == to_.slot.raw;
  }

  Result<Outcome> Move() {
    AMPHORA_ASSIGN(to_, ReadNewTarget(tx_, request_.to_parent, request_.to_name, MovesDirectory()));
    const DentryRecord* shown = to_.Shown();
    if (shown != nullptr && request_.mode == RenameMode::kNoReplace) {
      return Error(ErrorCode::kExists);
    }
    if (shown != nullptr && shown->inode == source_.inode) return Outcome{.source = source_.inode};
    if (MovesDirectory()) AMPHORA_TRY(CheckNoCycle(source_.inode, request_.to_parent));
    Outcome outcome;
    outcome.source = source_.inode;
    AMPHORA_TRY(MakeRoom(shown, outcome));
    if (outcome.sync_first.valid()) return outcome;
    AMPHORA_TRY(RemoveEntry(tx_, from_.slot, bucket_, MovesDirectory()));
    // Within one slot a directory leaves "a" for … "a": cannot be, names differ; rows of both are
    // apart.
    const NewEntry entry{source_.inode, source_.kind};
    if (!MovesDirectory() && to_.slot.file) {
      const InodeId replaced = to_.slot.file->inode;
      AMPHORA_TRY(ReplaceEntry(tx_, to_.slot, bucket_, entry));
      AMPHORA_TRY(displaced_.DropName(tx_, replaced, Displacement::Fate::kTaken));
    } else {
      AMPHORA_TRY(AddEntry(tx_, to_.slot, bucket_, entry));
    }
    AMPHORA_TRY(NoteNewName(source_.inode, request_.to_parent, to_.slot.raw));
    return outcome;
  }

  // What the new name shows goes, if it may.
  Status MakeRoom(const DentryRecord* shown, Outcome& outcome) {
    if (shown == nullptr) return Ok();
    const bool shows_directory = shown->kind == FileKind::kDirectory;
    if (!MovesDirectory()) {
      if (shows_directory) return Error(ErrorCode::kIsDirectory);
      // The new content must be on disk before it takes the old one's name (hazards 5.5).
      if (source_.inode != synced_ && tx_.core().live->IsUnfinished(source_.inode)) {
        outcome.sync_first = source_.inode;
      }
      return Ok();
    }
    if (!shows_directory) return Error(ErrorCode::kNotDirectory);
    const InodeId gone = shown->inode;
    AMPHORA_ASSIGN(EmptyDirectory empty, CheckEmptyExclusively(tx_, gone));
    AMPHORA_TRY(RemoveEntry(tx_, to_.slot, bucket_, true));
    AMPHORA_TRY(tx_.AddUsage(bucket_, 0, -1, 0));
    return replaced_.Drop(tx_, gone, std::move(empty));
  }

  Result<Outcome> Exchange() {
    AMPHORA_ASSIGN(to_, ReadTarget(tx_, request_.to_parent, request_.to_name, Lock::kExclusive));
    const DentryRecord* shown = to_.Shown();
    if (shown == nullptr) return Error(ErrorCode::kNotFound);
    const DentryRecord other = *shown;
    if (other.inode == source_.inode) return Outcome{.source = source_.inode};
    if (SameSlot()) {
      return Error(ErrorCode::kInvalidArgument, "a file and the directory of its name");
    }
    const bool other_is_directory = other.kind == FileKind::kDirectory;
    if (MovesDirectory()) AMPHORA_TRY(CheckNoCycle(source_.inode, request_.to_parent));
    if (other_is_directory) AMPHORA_TRY(CheckNoCycle(other.inode, request_.from_parent));
    // A name that shows the source may hide a file; what arrives must not meet one of its own kind.
    if (!MovesDirectory() && other_is_directory && to_.slot.file) return Error(ErrorCode::kExists);
    if (MovesDirectory() && !other_is_directory && from_.slot.file) {
      return Error(ErrorCode::kExists);
    }
    AMPHORA_TRY(RemoveEntry(tx_, from_.slot, bucket_, MovesDirectory()));
    AMPHORA_TRY(RemoveEntry(tx_, to_.slot, bucket_, other_is_directory));
    AMPHORA_TRY(AddEntry(tx_, to_.slot, bucket_, {source_.inode, source_.kind}));
    AMPHORA_TRY(AddEntry(tx_, from_.slot, bucket_, {other.inode, other.kind}));
    AMPHORA_TRY(NoteNewName(source_.inode, request_.to_parent, to_.slot.raw));
    AMPHORA_TRY(NoteNewName(other.inode, request_.from_parent, from_.slot.raw));
    return Outcome{.source = source_.inode};
  }

  // A directory never moves into itself. Each directory on the way up is taken shared, so that two
  // renames at once cannot build a ring.
  Status CheckNoCycle(InodeId moved, InodeId target) {
    constexpr int kDeepest = 100'000;
    for (int depth = 0; depth < kDeepest; ++depth) {
      if (target == moved) return Error(ErrorCode::kInvalidArgument, "into its own subdirectory");
      if (target.value() == bucket_.value()) return Ok();
      AMPHORA_ASSIGN(const InodeRecord record, tx_.GetInode(target, Lock::kShared));
      target = record.parent;
    }
    return Error(ErrorCode::kCorrupt, "directories form a ring");
  }

  Status NoteNewName(InodeId inode, InodeId parent, const std::string& raw) {
    AMPHORA_ASSIGN(InodeRecord record, tx_.GetInode(inode, Lock::kExclusive));
    record.parent = parent;
    record.name = raw;
    return tx_.PutPosixChange(inode, record);
  }

  Tx& tx_;
  const RenameRequest& request_;
  Displacement& displaced_;
  DirectoryEnd& replaced_;
  const InodeId synced_;
  BucketId bucket_;
  Target from_;
  Target to_;
  DentryRecord source_;
};

}  // namespace

Result<RenameAnswer> Files::Rename(const Caller& caller, const RenameRequest& request) {
  Displacement displaced(core_);
  DirectoryEnd replaced(core_, caller.origin);
  InodeId synced;
  for (;;) {
    const auto committed = core_.Run(caller.origin, [&](Tx& tx) {
      displaced.Begin();
      replaced.Begin();
      return fs::Rename(tx, request, displaced, replaced, synced).Run();
    });
    if (!committed.ok()) return committed.error();
    const Outcome& outcome = committed->value;
    if (outcome.sync_first.valid()) {
      if (!request.may_wait) return RenameAnswer::kMustWait;
      AMPHORA_TRY(core_.live->SyncData(outcome.sync_first));
      synced = outcome.sync_first;
      continue;
    }
    core_.live->NoteCommit(outcome.source, committed->ticket);
    displaced.Finish();
    replaced.Finish();
    return RenameAnswer::kDone;
  }
}

}  // namespace amphora::fs
