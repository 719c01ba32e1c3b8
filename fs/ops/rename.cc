// rename(2) and renameat2(2) with RENAME_NOREPLACE and RENAME_EXCHANGE, by the rules of
// hazards 4.1: a file and a directory of one name can stand side by side, so the kind of what moves
// chooses the row it takes.
#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/data/live.h"
#include "fs/files.h"
#include "fs/ops/unlink_inode.h"
#include "fs/ops/visible.h"

namespace amphora::fs {
namespace {

// What the two names show before the transaction: to sync the source and to claim what is replaced.
struct Peek {
  InodeId source;
  FileKind source_kind = FileKind::kRegular;
  InodeId replaced;  // a file that the rename takes the name of; 0: none
};

Result<Peek> PeekNames(Core& core, const RenameRequest& request) {
  meta::Reader& reader = core.store->Newest();
  AMPHORA_ASSIGN(const Target from, ReadTarget(reader, request.from_parent, request.from_name));
  const DentryRecord* source = from.Shown();
  if (source == nullptr) return Error(ErrorCode::kNotFound);
  Peek peek{source->inode, source->kind, InodeId()};
  if (request.mode != RenameMode::kReplace) return peek;
  const auto to = ReadTarget(reader, request.to_parent, request.to_name);
  if (!to.ok()) return peek;
  const DentryRecord* shown = to->Shown();
  if (shown != nullptr && shown->kind != FileKind::kDirectory && shown->inode != peek.source) {
    peek.replaced = shown->inode;
  }
  return peek;
}

struct Outcome {
  bool again = false;  // the names mean others than those peeked at
  AfterUnlink replaced_file = AfterUnlink::kNothing;
  InodeId replaced_directory{};
};

// Moves are transactions of many steps; this holds what they share.
class Rename {
 public:
  Rename(Tx& tx, const RenameRequest& request, const Peek& peek, bool claim)
      : tx_(tx), request_(request), peek_(peek), claim_(claim) {}

  Result<Outcome> Run() {
    AMPHORA_TRY(LockParents());
    AMPHORA_ASSIGN(from_,
                   ReadTarget(tx_, request_.from_parent, request_.from_name, Lock::kExclusive));
    const DentryRecord* source = from_.Shown();
    if (source == nullptr) return Error(ErrorCode::kNotFound);
    source_ = *source;
    if (source_.inode != peek_.source) return Outcome{.again = true};
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
    if (shown != nullptr && shown->inode == source_.inode) return Outcome{};
    if (MovesDirectory()) AMPHORA_TRY(CheckNoCycle(source_.inode, request_.to_parent));
    Outcome outcome;
    AMPHORA_TRY(MakeRoom(shown, outcome));
    if (outcome.again) return outcome;
    AMPHORA_TRY(RemoveEntry(tx_, from_.slot, bucket_, MovesDirectory()));
    // Within one slot a directory leaves "a" for … "a": cannot be, names differ; rows of both are
    // apart.
    const NewEntry entry{source_.inode, source_.kind};
    if (!MovesDirectory() && to_.slot.file) {
      AMPHORA_TRY(ReplaceEntry(tx_, to_.slot, bucket_, entry));
      AMPHORA_ASSIGN(outcome.replaced_file, DropName(tx_, peek_.replaced, claim_));
    } else {
      AMPHORA_TRY(AddEntry(tx_, to_.slot, bucket_, entry));
    }
    AMPHORA_TRY(NoteNewName(source_.inode, request_.to_parent, to_.slot.raw));
    return outcome;
  }

  // What the new name shows goes, if it may.
  Status MakeRoom(const DentryRecord* shown, Outcome& outcome) {
    if (shown == nullptr) {
      outcome.again = peek_.replaced.valid();
      return Ok();
    }
    const bool shows_directory = shown->kind == FileKind::kDirectory;
    if (!MovesDirectory()) {
      if (shows_directory) return Error(ErrorCode::kIsDirectory);
      outcome.again = shown->inode != peek_.replaced;
      return Ok();
    }
    if (!shows_directory) return Error(ErrorCode::kNotDirectory);
    const InodeId gone = shown->inode;
    AMPHORA_ASSIGN(InodeRecord record, CheckEmptyExclusively(tx_, gone));
    AMPHORA_TRY(RemoveEntry(tx_, to_.slot, bucket_, true));
    AMPHORA_TRY(tx_.AddUsage(bucket_, 0, -1, 0));
    record.changed = tx_.now();
    AMPHORA_TRY(tx_.OrphanInode(gone, record));
    outcome.replaced_directory = gone;
    return Ok();
  }

  Result<Outcome> Exchange() {
    AMPHORA_ASSIGN(to_, ReadTarget(tx_, request_.to_parent, request_.to_name, Lock::kExclusive));
    const DentryRecord* shown = to_.Shown();
    if (shown == nullptr) return Error(ErrorCode::kNotFound);
    const DentryRecord other = *shown;
    if (other.inode == source_.inode) return Outcome{};
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
    return Outcome{};
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
  const Peek& peek_;
  const bool claim_;
  BucketId bucket_;
  Target from_;
  Target to_;
  DentryRecord source_;
};

}  // namespace

Status Files::Rename(const Caller& caller, const RenameRequest& request) {
  for (;;) {
    AMPHORA_ASSIGN(const Peek peek, PeekNames(core_, request));
    LiveTable::Claim claim;
    if (peek.replaced.valid()) {
      // The new content must be on disk before it takes the old one's name (hazards 5.5).
      if (peek.source_kind == FileKind::kRegular) AMPHORA_TRY(core_.live->SyncData(peek.source));
      claim = core_.live->TryClaim(peek.replaced);
    }
    const auto committed = core_.Run(caller.origin, [&](Tx& tx) {
      return fs::Rename(tx, request, peek, static_cast<bool>(claim)).Run();
    });
    if (!committed.ok()) return committed.error();
    const Outcome& outcome = committed->value;
    if (outcome.again) continue;
    core_.live->NoteCommit(peek.source, committed->ticket);
    if (outcome.replaced_file == AfterUnlink::kOrphaned) {
      core_.live->Orphaned(peek.replaced, OriginId());
    } else if (peek.replaced.valid()) {
      core_.collector->Kick();
    }
    if (outcome.replaced_directory.valid()) {
      core_.live->Orphaned(outcome.replaced_directory, caller.origin);
    }
    return Ok();
  }
}

}  // namespace amphora::fs
