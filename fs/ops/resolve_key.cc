#include "fs/ops/resolve_key.h"

#include <string>
#include <utility>

#include "fs/bucket_states.h"
#include "fs/core.h"

namespace amphora::fs {
namespace {

constexpr std::uint32_t kDirectoryPermissions = 0755;
constexpr std::uint32_t kSetGroupId = 02000;

InodeId RootOf(BucketId bucket) { return InodeId(bucket.value()); }

Result<InodeRecord> MustHave(std::optional<InodeRecord> record) {
  if (!record) return Error(ErrorCode::kCorrupt, "a name points to no inode");
  return std::move(*record);
}

Result<std::optional<FoundObject>> FindFile(meta::Reader& reader, InodeId directory,
                                            std::string_view raw) {
  AMPHORA_ASSIGN(const auto dentry, ReadDentry(reader, directory, raw, false));
  if (!dentry) return std::optional<FoundObject>();
  AMPHORA_ASSIGN(auto found, ReadInode(reader, dentry->inode));
  AMPHORA_ASSIGN(InodeRecord record, MustHave(std::move(found)));
  if (record.unpublished) return std::optional<FoundObject>();
  return std::optional<FoundObject>(FoundObject{dentry->inode, std::move(record), directory});
}

// Who may read a file may search its directory.
std::uint32_t WithSearch(std::uint32_t permissions) {
  constexpr std::uint32_t kReadBits = 0444;
  return permissions | (permissions & kReadBits) >> 2;
}

InodeRecord NewImplicitDirectory(const Tx& tx, BucketId bucket, const NewOwner& owner,
                                 InodeId parent, std::string_view name) {
  InodeRecord record;
  record.kind = FileKind::kDirectory;
  record.permissions = owner.permissions ? WithSearch(*owner.permissions) : kDirectoryPermissions;
  record.uid = owner.uid;
  record.gid = owner.gid;
  record.links = 1;
  record.born = record.accessed = record.modified = record.changed = record.last_modified =
      tx.now();
  record.bucket = bucket;
  record.content_stamp = tx.stamp();
  record.implicit = true;
  record.parent = parent;
  record.name = name;
  return record;
}

// Adds the directory of `slot` to its parent, whose row the caller locked; `parent` becomes the new
// row.
Result<InodeId> AddDirectory(Tx& tx, BucketId bucket, Slot& slot, const NewOwner& owner,
                             InodeRecord& parent) {
  AMPHORA_ASSIGN(const InodeId inode, tx.core().NewInodeId());
  InodeRecord record = NewImplicitDirectory(tx, bucket, owner, slot.parent, slot.raw);
  if ((parent.permissions & kSetGroupId) != 0) {
    record.gid = parent.gid;
    record.permissions |= kSetGroupId;
  }
  AMPHORA_TRY(tx.PutFreshInode(inode, record));
  AMPHORA_TRY(AddEntry(tx, slot, bucket, {inode, FileKind::kDirectory}));
  AMPHORA_TRY(tx.AddUsage(bucket, 0, 1, 0));
  parent = std::move(record);
  return inode;
}

Result<std::optional<InodeId>> DirectoryOf(const std::optional<std::string>& bytes) {
  if (!bytes) return std::optional<InodeId>();
  AMPHORA_ASSIGN(const DentryRecord dentry, DecodeDentry(*bytes));
  return std::optional<InodeId>(dentry.inode);
}

}  // namespace

KeyPath SplitKey(std::string_view key) {
  KeyPath path;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t slash = key.find('/', begin);
    if (slash == std::string_view::npos) break;
    path.directories.push_back(key.substr(begin, slash - begin));
    begin = slash + 1;
  }
  path.file = key.substr(begin);
  path.directory_key = path.file.empty();
  return path;
}

Result<std::optional<InodeId>> WalkDirectories(meta::Reader& reader, BucketId bucket,
                                               const std::vector<std::string_view>& names) {
  InodeId directory = RootOf(bucket);
  for (const std::string_view name : names) {
    AMPHORA_ASSIGN(const auto dentry, ReadDentry(reader, directory, name, true));
    if (!dentry) return std::optional<InodeId>();
    directory = dentry->inode;
  }
  return std::optional<InodeId>(directory);
}

Result<std::optional<InodeId>> WalkDirectories(Tx& tx, BucketId bucket,
                                               const std::vector<std::string_view>& names) {
  InodeId directory = RootOf(bucket);
  for (const std::string_view name : names) {
    AMPHORA_ASSIGN(const auto bytes,
                   tx.kv().Get(Table::kRows, DentryKey(directory, name, true), Lock::kShared));
    AMPHORA_ASSIGN(const auto next, DirectoryOf(bytes));
    if (!next) return std::optional<InodeId>();
    directory = *next;
  }
  return std::optional<InodeId>(directory);
}

Result<std::optional<FoundObject>> FindObject(meta::Reader& reader, BucketId bucket,
                                              const KeyPath& path) {
  // The empty key names nothing.
  if (path.directory_key && path.directories.empty()) return std::optional<FoundObject>();
  AMPHORA_ASSIGN(const auto directory, WalkDirectories(reader, bucket, path.directories));
  if (!directory) return std::optional<FoundObject>();
  AMPHORA_ASSIGN(auto file, FindFile(reader, *directory, path.file));
  if (file || !path.directory_key) return file;
  AMPHORA_ASSIGN(auto found, ReadInode(reader, *directory));
  AMPHORA_ASSIGN(InodeRecord record, MustHave(std::move(found)));
  if (record.implicit) return std::optional<FoundObject>();
  return std::optional<FoundObject>(FoundObject{*directory, std::move(record), *directory});
}

Result<NewOwner> OwnerFor(Tx& tx, BucketId bucket, const Caller& caller) {
  const BucketSettings settings = tx.core().bucket_states->Find(bucket)->settings();
  NewOwner owner{caller.uid, caller.gid, settings.s3_permissions};
  if (caller.uid == 0 && caller.gid == 0) {
    AMPHORA_ASSIGN(const auto root, tx.FindInode(RootOf(bucket), Lock::kNone));
    if (!root) return Error(ErrorCode::kNoSuchBucket);
    owner.uid = root->uid;
    owner.gid = root->gid;
  }
  owner.uid = settings.s3_uid.value_or(owner.uid);
  owner.gid = settings.s3_gid.value_or(owner.gid);
  return owner;
}

Result<InodeRecord> LockParentForObject(Tx& tx, BucketId bucket, InodeId parent) {
  auto record = LockParentToAdd(tx, parent, ParentUse::kObject);
  if (record.Is(ErrorCode::kNotFound)) {
    if (parent == RootOf(bucket)) return Error(ErrorCode::kNoSuchBucket);
    // The directory went between its name's read and its row's: its name is locked, so that can't
    // last.
    return Error(ErrorCode::kConflict, "the directory vanished");
  }
  return record;
}

Result<MadeDirectories> MakeDirectories(Tx& tx, BucketId bucket, const Caller& caller,
                                        const std::vector<std::string_view>& names,
                                        std::size_t existing) {
  MadeDirectories made{RootOf(bucket), false};
  InodeRecord parent;  // the row of made.directory, once something is to be added
  NewOwner owner;
  for (std::size_t i = 0; i < names.size(); ++i) {
    Slot slot{made.directory, std::string(names[i]), std::nullopt, std::nullopt};
    if (!made.fresh) {
      if (i < existing) {
        AMPHORA_ASSIGN(
            const auto bytes,
            tx.kv().Get(Table::kRows, DentryKey(made.directory, names[i], true), Lock::kShared));
        AMPHORA_ASSIGN(const auto next, DirectoryOf(bytes));
        if (next) {
          made.directory = *next;
          continue;
        }
      }
      AMPHORA_ASSIGN(parent, LockParentForObject(tx, bucket, made.directory));
      AMPHORA_ASSIGN(slot, ReadSlot(tx, made.directory, names[i], Lock::kExclusive));
      if (slot.directory) {
        made.directory = slot.directory->inode;
        continue;
      }
      AMPHORA_ASSIGN(owner, OwnerFor(tx, bucket, caller));
    }
    AMPHORA_ASSIGN(made.directory, AddDirectory(tx, bucket, slot, owner, parent));
    made.fresh = true;
  }
  return made;
}

}  // namespace amphora::fs
