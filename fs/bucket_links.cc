// Links: a name in a volume that shows a bucket of (usually) another one. Three rows make one: the
// row by name ('K'), which the S3 face and the command line read; a symlink in the volume's
// directory, which mounts show; and a row under the bucket ('T'), by which the bucket knows that it
// is linked. Volumes and buckets are never renamed, so the names in a link stay true.
//
// The guard rule once more: who makes a link takes the bucket's inode row shared, DeleteBucket
// takes it exclusively before it looks for 'T' rows. So no link dangles, and since a link to a link
// remembers the bucket, none goes in a ring.
#include "fs/bucket_links.h"

#include <utility>

#include "fs/admin/row_cursor.h"
#include "fs/buckets_internal.h"
#include "fs/core.h"
#include "fs/entries.h"

namespace amphora::fs {
namespace {

// `take(InodeId link, const InodeRecord&)` for each link to `bucket`, oldest first, until it
// answers false.
template <typename Take>
Status ForEachLink(meta::Reader& reader, BucketId bucket, Take&& take) {
  RowCursor rows(reader, Table::kRows, RangeOf(RowKind::kLinkTo, DirectoryOf(bucket)));
  for (;;) {
    AMPHORA_ASSIGN(const meta::Row* const row, rows.Peek());
    if (row == nullptr) return Ok();
    AMPHORA_ASSIGN(const InodeId link, DecodeLinkOf(row->key));
    AMPHORA_ASSIGN(const auto record, ReadInode(reader, link));
    if (record && record->links != 0 && !take(link, *record)) return Ok();
    rows.Pop();
  }
}

Result<BucketRecord> MustReadBucket(meta::Reader& reader, const BucketPath& path) {
  AMPHORA_ASSIGN(const VolumeRecord volume, MustReadVolume(reader, path.volume));
  AMPHORA_ASSIGN(auto record, ReadBucket(reader, volume.id, path.name));
  if (!record) return Error(ErrorCode::kNoSuchBucket);
  return std::move(*record);
}

// The bucket behind `path`: of a link, the one that it shows.
struct Target {
  BucketId id;
  BucketPath path;
};

Result<Target> ResolveTarget(meta::Reader& reader, const BucketPath& path) {
  AMPHORA_ASSIGN(BucketRecord record, MustReadBucket(reader, path));
  if (record.is_link()) return Target{record.target, std::move(record.target_path)};
  return Target{record.id, path};
}

// In mounts of the volume alone every link to the bucket may mean something else now.
Status AddLinkChanges(Tx& tx, BucketId bucket, InodeId volume) {
  return ForEachLink(tx.kv(), bucket, [&](InodeId link, const InodeRecord& record) {
    if (record.parent != volume) return true;
    tx.AddChange({.what = Change::What::kEntry,
                  .inode = volume,
                  .name = record.name,
                  .old_inode = link,
                  .bucket = {},
                  .origin = {}});
    tx.AddChange({.what = Change::What::kContent,
                  .inode = link,
                  .name = {},
                  .old_inode = {},
                  .bucket = {},
                  .origin = {}});
    return true;
  });
}

struct NewLink {
  const Caller& caller;
  std::string_view owner;
  const BucketPath& target;
  const BucketPath& link;
  InodeId fresh;
};

Result<BucketInfo> MakeLink(Tx& tx, const NewLink& wanted) {
  const BucketPath& link = wanted.link;
  AMPHORA_ASSIGN(const Target target, ResolveTarget(tx.kv(), wanted.target));
  AMPHORA_ASSIGN(const VolumeRecord in, MustReadVolume(tx.kv(), link.volume));
  AMPHORA_ASSIGN(const auto taken,
                 tx.kv().Get(Table::kRows, BucketKey(in.id, link.name), Lock::kExclusive));
  if (taken) return Error(ErrorCode::kExists);
  const auto alive = LockParentToAdd(tx, DirectoryOf(target.id), ParentUse::kObject);
  if (alive.Is(ErrorCode::kNotFound)) return Error(ErrorCode::kNoSuchBucket);
  if (!alive.ok()) return alive.error();
  NewTop top{wanted.fresh, DirectoryOf(in.id), link.name,
             BucketId(),   wanted.caller.uid,  wanted.caller.gid};
  top.symlink = target.path.volume == link.volume
                    ? target.path.name
                    : "../" + target.path.volume + "/" + target.path.name;
  const Status added = AddTop(tx, top);
  if (added.Is(ErrorCode::kNotFound)) return Error(ErrorCode::kNoSuchVolume);
  AMPHORA_TRY(added);
  BucketRecord record{BucketId(wanted.fresh.value()), std::string(wanted.owner), tx.now()};
  record.target = target.id;
  record.target_path = target.path;
  AMPHORA_TRY(tx.kv().Put(Table::kRows, BucketKey(in.id, link.name), Encode(record)));
  AMPHORA_TRY(tx.kv().PutFresh(Table::kRows, LinkToKey(target.id, wanted.fresh), ""));
  AMPHORA_TRY(AddLinkChanges(tx, target.id, DirectoryOf(in.id)));
  return ToBucketInfo(link.volume, link.name, record);
}

}  // namespace

Result<InodeId> RemoveLink(Tx& tx, const BucketRecord& record) {
  const InodeId link(record.id.value());
  AMPHORA_ASSIGN(InodeRecord row, tx.GetInode(link, Lock::kExclusive));
  const InodeId volume = row.parent;
  AMPHORA_TRY(tx.kv().Erase(Table::kRows, LinkToKey(record.target, link)));
  AMPHORA_TRY(AddLinkChanges(tx, record.target, volume));
  AMPHORA_TRY(RemoveTop(tx, link, std::move(row)));
  return link;
}

Result<Made<BucketInfo>> Buckets::CreateLink(const Caller& caller, std::string_view owner,
                                             const BucketPath& target, const BucketPath& link) {
  AMPHORA_TRY(CheckBucketName(link.name));
  if (target == link) return Error(ErrorCode::kInvalidArgument, "a link can't show itself");
  AMPHORA_ASSIGN(const InodeId fresh, core_.NewInodeId());
  auto committed = core_.Run(caller.origin, [&](Tx& tx) {
    return MakeLink(tx, {caller, owner, target, link, fresh});
  });
  if (!committed.ok()) return committed.error();
  return Made<BucketInfo>{std::move(committed->value), committed->ticket};
}

Result<std::vector<BucketPath>> Buckets::LinksTo(BucketId bucket) {
  const auto snapshot = core_.store->Snapshot();
  std::vector<std::pair<InodeId, std::string>> found;
  AMPHORA_TRY(ForEachLink(*snapshot, bucket, [&](InodeId, const InodeRecord& record) {
    found.emplace_back(record.parent, record.name);
    return true;
  }));
  std::vector<BucketPath> links;
  for (auto& [volume, name] : found) {
    AMPHORA_ASSIGN(const auto record, ReadInode(*snapshot, volume));
    if (record) links.push_back({record->name, std::move(name)});
  }
  return links;
}

Result<InodeId> TargetOfLink(meta::Reader& reader, const InodeRecord& record) {
  AMPHORA_ASSIGN(const auto row, ReadBucket(reader, VolumeId(record.parent.value()), record.name));
  if (!row || !row->is_link()) return Error(ErrorCode::kStale, "the link was deleted");
  return DirectoryOf(row->target);
}

Result<ShownLink> ShowLink(meta::Reader& reader, InodeId mount_root, InodeId link,
                           const InodeRecord& record) {
  const ShownLink as_symlink{InodeId(), record.symlink};
  if (record.parent != mount_root) return as_symlink;
  AMPHORA_ASSIGN(const InodeId target, TargetOfLink(reader, record));
  AMPHORA_ASSIGN(const auto bucket, ReadInode(reader, target));
  if (!bucket) return Error(ErrorCode::kStale, "the bucket was deleted");
  if (bucket->parent == mount_root) return as_symlink;
  ShownLink shown{target, {}};
  AMPHORA_TRY(
      ForEachLink(reader, BucketId(target.value()), [&](InodeId oldest, const InodeRecord& other) {
        if (other.parent != mount_root) return true;
        if (oldest != link) shown = {InodeId(), other.name};
        return false;
      }));
  return shown;
}

}  // namespace amphora::fs
