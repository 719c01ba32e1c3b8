// mknod, mkdir, symlink, open with O_CREAT, O_TMPFILE.
#include <sys/stat.h>

#include <utility>

#include "fs/bucket_states.h"
#include "fs/change_hub.h"
#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/files.h"
#include "fs/ops/acls.h"
#include "fs/ops/attributes.h"
#include "fs/ops/visible.h"

namespace amphora::fs {
namespace {

// Where something is made.
struct Place {
  InodeId parent;
  const InodeRecord& parent_record;
  InodeId fresh;  // what is made
};

// A fresh inode as POSIX makes it: owner and group by mkdir(2) and the parent's setgid bit,
// permissions by umask or default access control list.
Result<InodeRecord> FreshRecord(Tx& tx, const Caller& caller, const Place& place,
                                const NewNode& node) {
  const InodeRecord& parent = place.parent_record;
  InodeRecord record;
  record.kind = node.kind;
  record.permissions = node.permissions & 07777;
  record.uid = caller.uid;
  record.gid = caller.gid;
  if ((parent.permissions & S_ISGID) != 0) {
    record.gid = parent.gid;
    if (node.kind == FileKind::kDirectory) record.permissions |= S_ISGID;
  }
  record.links = 1;
  record.born = record.accessed = record.modified = record.changed = record.last_modified =
      tx.now();
  record.device = node.device;
  record.bucket = parent.bucket;
  record.content_stamp = tx.stamp();
  record.symlink = node.symlink_target;
  AMPHORA_TRY(InheritPermissions(tx, {place.parent, parent, caller.umask}, place.fresh, record));
  return record;
}

Status AddUsageOf(Tx& tx, const InodeRecord& record) {
  const bool directory = record.kind == FileKind::kDirectory;
  return tx.AddUsage(record.bucket, directory ? 0 : 1, directory ? 1 : 0, 0);
}

struct Added {
  InodeRecord record;
  bool created = true;
  InodeId inode;
};

enum class Making : std::uint8_t {
  kNode,          // mknod, mkdir, symlink
  kToOpen,        // O_CREAT | O_EXCL
  kToOpenOrOpen,  // O_CREAT: what is there already serves
};

// Whether S3 sees a file of this bucket only once it was closed or synced.
bool HidesNew(Tx& tx, BucketId bucket) {
  return tx.core().bucket_states->Find(bucket)->settings().publish == Publish::kClose;
}

// The transaction of every call that makes a name.
Result<Added> AddNode(Tx& tx, const Caller& caller, InodeId parent, std::string_view name,
                      const NewNode& node, InodeId fresh, Making making) {
  const bool directory = node.kind == FileKind::kDirectory;
  AMPHORA_ASSIGN(const InodeRecord parent_record, LockParentToAdd(tx, parent, ParentUse::kPosix));
  AMPHORA_ASSIGN(Target target, ReadNewTarget(tx, parent, name, directory));
  if (const DentryRecord* shown = target.Shown(); shown != nullptr) {
    if (making != Making::kToOpenOrOpen) return Error(ErrorCode::kExists);
    if (shown->kind == FileKind::kDirectory) return Error(ErrorCode::kIsDirectory);
    if (shown->kind != FileKind::kRegular) return Error(ErrorCode::kStale, "not a regular file");
    return Added{{}, false, shown->inode};
  }
  AMPHORA_ASSIGN(InodeRecord record, FreshRecord(tx, caller, {parent, parent_record, fresh}, node));
  record.parent = parent;
  record.name = target.name.raw;
  record.unpublished = making != Making::kNode && HidesNew(tx, record.bucket);
  AMPHORA_TRY(tx.PutFreshInode(fresh, record));
  AMPHORA_TRY(AddEntry(tx, target.slot, record.bucket, {fresh, node.kind}));
  AMPHORA_TRY(AddUsageOf(tx, record));
  return Added{std::move(record), true, fresh};
}

// What the kernel is told of a new inode. It installs that without looking at its age, so with a
// second mount, through which the inode may be changed at this moment, it must not keep it (hazards
// 3.2). S3 reaches it by its name only, and that invalidation waits for the reply.
Attributes AttributesOfNew(const Core& core, InodeId inode, const InodeRecord& record) {
  Attributes attributes = ToAttributes(inode, record);
  attributes.cacheable = core.changes->size() <= 1;
  return attributes;
}

Status CheckNode(const NewNode& node) {
  if (node.kind != FileKind::kSymlink) return Ok();
  if (node.symlink_target.empty()) return Error(ErrorCode::kNotFound, "empty symlink target");
  if (node.symlink_target.size() > kMaxSymlinkBytes) return Error(ErrorCode::kNameTooLong);
  return Ok();
}

}  // namespace

Result<Attributes> Files::MakeNode(const Caller& caller, InodeId parent, std::string_view name,
                                   const NewNode& node) {
  AMPHORA_TRY(CheckNode(node));
  AMPHORA_ASSIGN(const InodeId fresh, core_.NewInodeId());
  const auto committed = core_.Run(caller.origin, [&](Tx& tx) {
    return AddNode(tx, caller, parent, name, node, fresh, Making::kNode);
  });
  if (!committed.ok()) return committed.error();
  return AttributesOfNew(core_, fresh, committed->value.record);
}

Result<OpenedFile> Files::Create(const Caller& caller, InodeId parent, std::string_view name,
                                 std::uint32_t permissions, const OpenOptions& options,
                                 bool* created) {
  NewNode node;
  node.permissions = permissions;
  AMPHORA_ASSIGN(const InodeId fresh, core_.NewInodeId());
  LiveTable::Claim claim = core_.live->ClaimNew(fresh);
  const auto committed = core_.Run(caller.origin, [&](Tx& tx) {
    return AddNode(tx, caller, parent, name, node, fresh,
                   options.exclusive ? Making::kToOpen : Making::kToOpenOrOpen);
  });
  if (!committed.ok()) return committed.error();
  const Added& added = committed->value;
  if (created != nullptr) *created = added.created;
  if (!added.created) {
    auto opened = Open(caller, added.inode, options);
    if (opened.ok()) opened->attributes.cacheable = false;  // as of a LINK reply (hazards 3.2)
    return opened;
  }
  auto live = core_.live->AcquireNew(std::move(claim), added.record);
  core_.live->NoteCommit(fresh, committed->ticket);
  AMPHORA_ASSIGN(auto handle,
                 OpenHandle(core_, std::move(live), caller, options, Freshness::kFresh));
  Attributes attributes = AttributesOfNew(core_, fresh, added.record);
  core_.live->Overlay(attributes);
  return OpenedFile{attributes, std::move(handle)};
}

Result<OpenedFile> Files::CreateUnnamed(const Caller& caller, InodeId parent,
                                        std::uint32_t permissions, const OpenOptions& options) {
  NewNode node;
  node.permissions = permissions;
  AMPHORA_ASSIGN(const InodeId fresh, core_.NewInodeId());
  LiveTable::Claim claim = core_.live->ClaimNew(fresh);
  const auto committed = core_.Run(caller.origin, [&](Tx& tx) -> Result<InodeRecord> {
    AMPHORA_ASSIGN(const InodeRecord parent_record, LockParentToAdd(tx, parent, ParentUse::kPosix));
    AMPHORA_ASSIGN(InodeRecord record,
                   FreshRecord(tx, caller, {parent, parent_record, fresh}, node));
    record.links = 0;
    record.unpublished = HidesNew(tx, record.bucket);
    AMPHORA_TRY(tx.PutFreshInode(fresh, record));
    AMPHORA_TRY(tx.kv().PutFresh(Table::kRows, OrphanKey(fresh), ""));
    return record;
  });
  if (!committed.ok()) return committed.error();
  auto live = core_.live->AcquireNew(std::move(claim), committed->value);
  core_.live->Orphaned(fresh, OriginId());
  AMPHORA_ASSIGN(auto handle,
                 OpenHandle(core_, std::move(live), caller, options, Freshness::kFresh));
  return OpenedFile{ToAttributes(fresh, committed->value), std::move(handle)};
}

}  // namespace amphora::fs
