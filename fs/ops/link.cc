// link(2), and linkat(2) of an unnamed file (O_TMPFILE).
#include <algorithm>

#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/files.h"
#include "fs/ops/attributes.h"
#include "fs/ops/visible.h"

namespace amphora::fs {
namespace {

constexpr std::uint64_t kMostLinks = UINT32_MAX;  // what st_nlink of FUSE carries

// An unnamed file gets a name: what that adds to the bucket, and how much of it the open file had
// taken of the quota already.
struct Adoption {
  std::uint64_t size = 0;
  std::uint64_t credit = 0;
};

Status CheckLinkable(const InodeRecord& record, const InodeRecord& parent) {
  if (record.kind == FileKind::kDirectory) {
    return Error(ErrorCode::kNotPermitted, "hard link to a directory");
  }
  // One that was unlinked had a name; only O_TMPFILE's may come into the tree.
  if (record.links == 0 && !record.name.empty()) return Error(ErrorCode::kNotFound, "unlinked");
  if (record.links >= kMostLinks) return Error(ErrorCode::kTooManyLinks);
  if (record.bucket != parent.bucket) return Error(ErrorCode::kCrossBucket);
  return Ok();
}

}  // namespace

Result<Attributes> Files::Link(const Caller& caller, InodeId inode, InodeId new_parent,
                               std::string_view new_name) {
  AMPHORA_TRY(SettleInode(core_, inode));
  const std::uint64_t held = core_.live->HeldBytes(inode);
  const auto committed = core_.Run(caller.origin, [&](Tx& tx) -> Result<std::optional<Adoption>> {
    AMPHORA_ASSIGN(const InodeRecord parent, LockParentToAdd(tx, new_parent, ParentUse::kPosix));
    AMPHORA_ASSIGN(Target target, ReadNewTarget(tx, new_parent, new_name, false));
    if (target.Shown() != nullptr) return Error(ErrorCode::kExists);
    AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
    AMPHORA_TRY(CheckLinkable(record, parent));
    std::optional<Adoption> adopted;
    if (record.links == 0) {
      adopted = {record.size, std::min(held, record.size)};
      AMPHORA_TRY(tx.kv().Erase(Table::kRows, OrphanKey(inode)));
      AMPHORA_TRY(tx.AddUsage(record.bucket, 1, 0, static_cast<std::int64_t>(record.size)));
      tx.CreditUsage(record.bucket, adopted->credit);
    }
    ++record.links;
    record.changed = tx.now();
    record.parent = new_parent;
    record.name = target.name.raw;
    AMPHORA_TRY(tx.PutInode(inode, record));
    AMPHORA_TRY(AddEntry(tx, target.slot, record.bucket, {inode, record.kind}));
    tx.AddAttributeChange(inode, record.bucket);
    return adopted;
  });
  if (!committed.ok()) return committed.error();
  if (const auto& adopted = committed->value) {
    core_.live->Adopted(inode, adopted->size, adopted->credit);
  }
  core_.live->NoteCommit(inode, committed->ticket);
  AMPHORA_ASSIGN(Attributes attributes, GetAttributes(inode));
  // The kernel installs a LINK reply's attributes without looking at their age (hazards 3.2).
  attributes.cacheable = false;
  return attributes;
}

}  // namespace amphora::fs
