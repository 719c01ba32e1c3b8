// getattr, setattr, statfs, and what they share with others.
#include "fs/ops/attributes.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "fs/bucket_links.h"
#include "fs/bucket_states.h"
#include "fs/core.h"
#include "fs/data/blob_store.h"
#include "fs/data/live.h"
#include "fs/data/privileges.h"
#include "fs/data/space_guard.h"
#include "fs/data_directory.h"
#include "fs/files.h"
#include "fs/ops/acls.h"
#include "fs/ops/end_directory.h"

namespace amphora::fs {
namespace {

constexpr std::uint64_t kDirectorySize = 4096;  // as ext4 shows an ordinary directory

Time Newer(Time row, const meta::MergeValue::Stamped& merged) {
  return merged.stamp == 0 ? row : Time(merged.value);
}

}  // namespace

Attributes ToAttributes(InodeId inode, const InodeRecord& record) {
  Attributes attributes;
  attributes.inode = inode;
  attributes.kind = record.kind;
  attributes.permissions = record.permissions;
  attributes.uid = record.uid;
  attributes.gid = record.gid;
  attributes.links = record.links;
  attributes.device = record.device;
  attributes.accessed = record.accessed;
  attributes.modified = record.modified;
  attributes.changed = record.changed;
  attributes.born = record.born;
  switch (record.kind) {
    case FileKind::kDirectory:
      attributes.size = kDirectorySize;
      attributes.allocated = kDirectorySize;
      attributes.links = record.links == 0 ? 0 : 2;
      break;
    case FileKind::kSymlink:
      attributes.size = record.symlink.size();
      break;
    default:
      attributes.size = record.size;
      // Of an empty file that was extended nothing is stored, whatever its size; of a blob the
      // caller asks the disk.
      if (record.content != ContentKind::kEmpty) {
        attributes.allocated = (record.size + 511) / 512 * 512;
      }
      break;
  }
  return attributes;
}

void FillDirectory(Attributes& attributes, const meta::MergeValue& merged) {
  if (attributes.links != 0) {
    attributes.links =
        2 + static_cast<std::uint64_t>(std::max<std::int64_t>(0, merged.sums[kSubdirectories]));
  }
  attributes.modified = Newer(attributes.modified, merged.latest[kModified]);
  attributes.changed = Newer(attributes.changed, merged.latest[kChanged]);
  attributes.accessed = Newer(attributes.accessed, merged.latest[kAccessed]);
}

namespace {

// A directory's merged row, as `reader` or somebody later sees it.
Result<meta::MergeValue> ReadSums(Core& core, meta::Reader& reader, InodeId directory) {
  DirectoryCache& cache = *core.directories;
  if (const auto known = cache.FindSums(directory)) return *known;
  const std::uint64_t generation = cache.Generation(directory);
  AMPHORA_ASSIGN(const meta::MergeValue sums, ReadMerged(reader, DirectoryStatKey(directory)));
  // A snapshot may be older than the cache's word for "now".
  if (&reader == &core.store->Newest()) cache.RememberSums(directory, generation, sums);
  return sums;
}

}  // namespace

Result<Attributes> ReadAttributes(Core& core, meta::Reader& reader, InodeId inode,
                                  const InodeRecord& record) {
  Attributes attributes = ToAttributes(inode, record);
  if (record.kind == FileKind::kDirectory) {
    AMPHORA_ASSIGN(const meta::MergeValue merged, ReadSums(core, reader, inode));
    FillDirectory(attributes, merged);
  } else if (record.kind == FileKind::kRegular) {
    if (record.content == ContentKind::kBlob && !core.live->View(inode)) {
      const auto figures = core.blobs->Find(record.blob);
      if (figures.ok() && *figures) attributes.allocated = (*figures)->allocated;
    }
    core.live->Overlay(attributes);
  }
  return attributes;
}

Result<std::vector<std::optional<Attributes>>> ReadAttributesOfMany(
    Core& core, meta::Reader& reader, const std::vector<InodeId>& inodes) {
  AMPHORA_ASSIGN(const auto records, ReadInodes(reader, inodes));
  std::vector<std::optional<Attributes>> answers;
  answers.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!records[i]) {
      answers.emplace_back();
      continue;
    }
    AMPHORA_ASSIGN(Attributes attributes, ReadAttributes(core, reader, inodes[i], *records[i]));
    answers.emplace_back(attributes);
  }
  return answers;
}

Result<Attributes> ReadShownAttributes(Core& core, meta::Reader& reader, InodeId mount_root,
                                       const FoundInode& found) {
  if (!IsBucketLink(found.record)) {
    return ReadAttributes(core, reader, found.inode, found.record);
  }
  AMPHORA_ASSIGN(const ShownLink shown, ShowLink(reader, mount_root, found.inode, found.record));
  if (!shown.directory.valid()) {
    Attributes attributes = ToAttributes(found.inode, found.record);
    attributes.size = shown.symlink.size();
    return attributes;
  }
  AMPHORA_ASSIGN(const auto bucket, ReadInode(reader, shown.directory));
  if (!bucket) return Error(ErrorCode::kNotFound, "the bucket was deleted");
  return ReadAttributes(core, reader, shown.directory, *bucket);
}

Result<Attributes> Files::GetAttributes(InodeId inode, InodeId mount_root) {
  meta::Reader& reader = core_.store->Newest();
  DirectoryCache& cache = *core_.directories;
  if (const auto known = cache.FindRow(inode)) return ReadAttributes(core_, reader, inode, *known);
  const std::uint64_t generation = cache.Generation(inode);
  AMPHORA_ASSIGN(const InodeRecord record, ReadHeldInode(core_, reader, inode));
  if (record.links == 0) return ReadAttributes(core_, reader, inode, record);
  if (record.kind == FileKind::kDirectory) cache.RememberRow(inode, generation, record);
  if (!IsBucketLink(record)) return ReadAttributes(core_, reader, inode, record);
  AMPHORA_ASSIGN(Attributes attributes,
                 ReadShownAttributes(core_, reader, mount_root, {inode, record}));
  // An inode keeps its kind: a link that became the oldest is asked for by name again.
  if (attributes.inode != inode) return ToAttributes(inode, record);
  return attributes;
}

namespace {

bool ChangesRow(const AttributeChange& change) {
  return change.permissions || change.uid || change.gid || change.accessed || change.modified ||
         change.accessed_now || change.modified_now;
}

// The kernel asks for nothing at all when chown(2) leaves both as they are, and also before it
// writes for somebody who will take setuid and setgid away.
bool ChangesNothing(const AttributeChange& change) {
  return !ChangesRow(change) && !change.kill_privileges && !change.size;
}

// Setuid and setgid that a change of owner, or of content without CAP_FSETID, takes away.
std::uint32_t PrivilegesToTake(const AttributeChange& change, const InodeRecord& record) {
  const bool owner_changes = change.uid || change.gid || ChangesNothing(change);
  if (record.kind == FileKind::kDirectory || change.permissions) return 0;
  if (!owner_changes && !change.kill_privileges) return 0;
  return TakenPrivileges(record.permissions, record.gid,
                         owner_changes ? Privileges::kOwner : Privileges::kLost,
                         &change.membership);
}

// chmod(2), chown(2), utimensat(2) on the row; sizes are the live inode's.
Status ChangeRow(Tx& tx, const Caller& caller, InodeId inode, const AttributeChange& change) {
  AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
  const std::uint32_t taken = PrivilegesToTake(change, record);
  const bool stranger = caller.uid != 0 && caller.uid != record.uid;
  // The write that follows takes them; chown(2) by a stranger may not.
  if (ChangesNothing(change) && taken != 0 && stranger) return Ok();
  if (change.permissions) AMPHORA_TRY(SetPermissions(tx, inode, record, *change.permissions));
  if (change.uid) record.uid = *change.uid;
  if (change.gid) record.gid = *change.gid;
  record.permissions &= ~taken;
  const std::optional<Time> accessed = change.accessed_now ? tx.now() : change.accessed;
  const std::optional<Time> modified = change.modified_now ? tx.now() : change.modified;
  return tx.PutPosixChange(inode, record, accessed, modified);
}

}  // namespace

Result<Attributes> Files::SetAttributes(const Caller& caller, InodeId inode,
                                        const AttributeChange& change, FileHandle* handle) {
  if (change.size) {
    const Status truncated = TruncateInode(core_, caller, inode,
                                           {.size = *change.size,
                                            .by_handle = handle != nullptr,
                                            .kill_privileges = change.kill_privileges,
                                            .membership = &change.membership});
    if (truncated.Is(ErrorCode::kNotFound)) return Error(ErrorCode::kStale, "inode");
    AMPHORA_TRY(truncated);
  }
  // What changes nothing (chown(2) with -1 for both) moves ctime all the same.
  if (ChangesRow(change) || !change.size) {
    // What was written before must not move the times that are set now.
    AMPHORA_TRY(SettleInode(core_, inode));
    AMPHORA_TRY(RestoreRemoved(core_, caller.origin, inode));
    if (change.modified_now) core_.live->NoteModified(inode, Time::Now());
    if (change.modified) core_.live->NoteModified(inode, *change.modified);
    const auto committed = core_.Run(
        caller.origin, [&](Tx& tx) -> Status { return ChangeRow(tx, caller, inode, change); });
    if (committed.Is(ErrorCode::kNotFound)) return Error(ErrorCode::kStale, "inode");
    if (!committed.ok()) return committed.error();
    core_.live->NoteCommit(inode, committed->ticket);
  }
  return GetAttributes(inode);
}

bool Files::ResizeMayWait(InodeId inode, std::uint64_t size) {
  return core_.live->ResizeMayWait(inode, size);
}

namespace {

// What a bucket's quota leaves of the disk's figures (statvfs(3) of a directory with a project
// quota shows the quota too).
void LimitToQuota(const BucketState& state, Usage& usage) {
  const BucketSettings settings = state.settings();
  if (settings.quota_bytes) {
    const std::uint64_t used = state.bytes();
    const std::uint64_t left = *settings.quota_bytes - std::min(*settings.quota_bytes, used);
    usage.blocks = *settings.quota_bytes / usage.block_bytes;
    usage.blocks_free = std::min(usage.blocks_free, left / usage.block_bytes);
    usage.blocks_available = std::min(usage.blocks_available, usage.blocks_free);
  }
  if (settings.quota_inodes) {
    const std::uint64_t used = state.inodes();
    usage.files = *settings.quota_inodes;
    usage.files_free = *settings.quota_inodes - std::min(*settings.quota_inodes, used);
  }
}

}  // namespace

Result<Usage> Files::GetUsage(InodeId inode) {
  struct statvfs disk {};
  if (statvfs(core_.directory->path().c_str(), &disk) != 0) {
    return Error::FromErrno(errno, "statvfs of the data directory");
  }
  Usage usage;
  usage.block_bytes = disk.f_frsize;
  usage.blocks = disk.f_blocks;
  usage.blocks_free = disk.f_bfree;
  // Programs that look first are told what they can have.
  const std::uint64_t kept = core_.space->floor_bytes() / disk.f_frsize;
  const bool room = !core_.space->full() && disk.f_bavail > kept;
  usage.blocks_available = room ? disk.f_bavail - kept : 0;
  usage.files = disk.f_files;
  usage.files_free = disk.f_ffree;
  AMPHORA_ASSIGN(const auto record, ReadInode(core_.store->Newest(), inode));
  if (record && record->bucket.valid()) {
    LimitToQuota(*core_.bucket_states->Find(record->bucket), usage);
  }
  return usage;
}

}  // namespace amphora::fs
