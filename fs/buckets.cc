// Volumes and buckets. A volume is a directory under the store's root, a bucket a directory inside
// it, so that a mount of the whole store walks one tree; beside their names there are rows by name
// ('V', 'K') that the S3 face and the command line list without touching the tree. Links to buckets
// are in bucket_links.cc.
//
// The guard rule holds for buckets too: whoever adds a name takes the bucket's inode row shared,
// DeleteBucket takes it exclusively before the scan that finds the bucket empty.

#include "fs/buckets.h"

#include <unistd.h>

#include <mutex>
#include <utility>

#include "fs/admin/row_cursor.h"
#include "fs/bucket_cache.h"
#include "fs/bucket_states.h"
#include "fs/buckets_internal.h"
#include "fs/core.h"
#include "fs/data/collector.h"
#include "fs/data/live.h"
#include "fs/data/part_places.h"
#include "fs/entries.h"
#include "fs/ops/upload_rows.h"
#include "meta/base/failpoint.h"
#include "meta/base/metrics.h"

namespace amphora::fs {
namespace {

constexpr std::uint32_t kPermissions = 0755;
constexpr std::uint32_t kSymlinkPermissions = 0777;

std::string CacheKey(std::string_view volume, std::string_view name) {
  std::string key(volume);
  key.push_back('/');
  key.append(name);
  return key;
}

VolumeInfo ToInfo(std::string_view name, const VolumeRecord& record) {
  return {record.id, std::string(name), record.owner, record.created};
}

Result<std::optional<VolumeRecord>> ReadVolume(meta::Reader& reader, std::string_view name) {
  AMPHORA_ASSIGN(const auto bytes, reader.Get(Table::kRows, VolumeKey(name)));
  if (!bytes) return std::optional<VolumeRecord>();
  AMPHORA_ASSIGN(VolumeRecord record, DecodeVolume(*bytes));
  return std::optional<VolumeRecord>(std::move(record));
}

InodeRecord RecordOf(const Tx& tx, const NewTop& top) {
  InodeRecord record;
  record.kind = top.symlink.empty() ? FileKind::kDirectory : FileKind::kSymlink;
  record.permissions = top.symlink.empty() ? kPermissions : kSymlinkPermissions;
  record.symlink = top.symlink;
  record.uid = top.uid;
  record.gid = top.gid;
  record.links = 1;
  record.born = record.accessed = record.modified = record.changed = record.last_modified =
      tx.now();
  record.content_stamp = tx.stamp();
  record.bucket = top.bucket;
  record.parent = top.parent;
  record.name = top.name;
  return record;
}

Result<VolumeInfo> MakeVolume(Tx& tx, const Caller& caller, std::string_view owner,
                              std::string_view name, InodeId fresh) {
  AMPHORA_ASSIGN(const auto bytes, tx.kv().Get(Table::kRows, VolumeKey(name), Lock::kExclusive));
  if (bytes) return Error(ErrorCode::kExists);
  AMPHORA_TRY(AddTop(tx, {fresh, kStoreRoot, name, BucketId(), caller.uid, caller.gid}));
  const VolumeRecord record{VolumeId(fresh.value()), std::string(owner), tx.now()};
  AMPHORA_TRY(tx.kv().Put(Table::kRows, VolumeKey(name), Encode(record)));
  return ToInfo(name, record);
}

}  // namespace

BucketInfo ToBucketInfo(std::string_view volume, std::string_view name,
                        const BucketRecord& record) {
  BucketInfo info;
  info.id = record.is_link() ? record.target : record.id;
  info.volume = volume;
  info.name = name;
  info.owner = record.owner;
  info.created = record.created;
  if (record.is_link()) info.link_target = record.target_path;
  return info;
}

Result<VolumeRecord> MustReadVolume(meta::Reader& reader, std::string_view name) {
  AMPHORA_ASSIGN(auto record, ReadVolume(reader, name));
  if (!record) return Error(ErrorCode::kNoSuchVolume);
  return std::move(*record);
}

Result<std::optional<BucketRecord>> ReadBucket(meta::Reader& reader, VolumeId volume,
                                               std::string_view name) {
  AMPHORA_ASSIGN(const auto bytes, reader.Get(Table::kRows, BucketKey(volume, name)));
  if (!bytes) return std::optional<BucketRecord>();
  AMPHORA_ASSIGN(BucketRecord record, DecodeBucket(*bytes));
  return std::optional<BucketRecord>(std::move(record));
}

Status AddTop(Tx& tx, const NewTop& top) {
  AMPHORA_TRY(LockParentToAdd(tx, top.parent, ParentUse::kObject));
  AMPHORA_ASSIGN(Slot slot, ReadSlot(tx, top.parent, top.name, Lock::kExclusive));
  if (slot.directory || slot.file) return Error(ErrorCode::kExists);
  AMPHORA_TRY(tx.PutFreshInode(top.inode, RecordOf(tx, top)));
  const bool directory = top.symlink.empty();
  AMPHORA_TRY(AddEntry(tx, slot, BucketId(),
                       {top.inode, directory ? FileKind::kDirectory : FileKind::kSymlink}));
  return directory ? tx.TouchDirectory(top.inode, 0, 0) : Ok();
}

Status RemoveTop(Tx& tx, InodeId inode, InodeRecord record) {
  const bool directory = record.kind == FileKind::kDirectory;
  AMPHORA_ASSIGN(Slot slot, ReadSlot(tx, record.parent, record.name, Lock::kExclusive));
  const auto& entry = directory ? slot.directory : slot.file;
  if (!entry || entry->inode != inode) {
    return Error(ErrorCode::kCorrupt, "a volume, bucket or link without its name");
  }
  AMPHORA_TRY(RemoveEntry(tx, slot, BucketId(), directory));
  record.changed = tx.now();
  return tx.OrphanInode(inode, record);
}

Status EnsureFirstRows(Core& core) {
  AMPHORA_ASSIGN(const auto root, ReadInode(core.store->Newest(), kStoreRoot));
  if (root) return Ok();
  AMPHORA_ASSIGN(const InodeId fresh, core.NewInodeId());
  const Caller caller{geteuid(), getegid(), OriginId()};
  const auto committed = core.Run(OriginId(), [&](Tx& tx) -> Status {
    const NewTop top{kStoreRoot, kStoreRoot, "", BucketId(), caller.uid, caller.gid};
    AMPHORA_TRY(tx.PutFreshInode(kStoreRoot, RecordOf(tx, top)));
    AMPHORA_TRY(tx.TouchDirectory(kStoreRoot, 0, 0));
    AMPHORA_TRY(MakeVolume(tx, caller, "", kS3Volume, fresh));
    return Ok();
  });
  if (!committed.ok()) return committed.error();
  return core.store->WaitDurable(committed->ticket);
}

Result<Made<VolumeInfo>> Buckets::CreateVolume(const Caller& caller, std::string_view owner,
                                               std::string_view name) {
  AMPHORA_TRY(CheckVolumeName(name));
  AMPHORA_ASSIGN(const InodeId fresh, core_.NewInodeId());
  auto committed =
      core_.Run(caller.origin, [&](Tx& tx) { return MakeVolume(tx, caller, owner, name, fresh); });
  if (!committed.ok()) return committed.error();
  return Made<VolumeInfo>{std::move(committed->value), committed->ticket};
}

Result<VolumeInfo> Buckets::GetVolume(std::string_view name) {
  AMPHORA_ASSIGN(const VolumeRecord record, MustReadVolume(core_.store->Newest(), name));
  return ToInfo(name, record);
}

Result<std::vector<VolumeInfo>> Buckets::ListVolumes() {
  std::vector<VolumeInfo> volumes;
  const auto snapshot = core_.store->Snapshot();
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot, Table::kRows, RangeOf(RowKind::kVolume)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const VolumeRecord record, DecodeVolume(row.value));
                           volumes.push_back(ToInfo(DecodeTextOf(row.key), record));
                           return Ok();
                         }));
  return volumes;
}

Result<Ticket> Buckets::DeleteVolume(std::string_view name) {
  if (name == kS3Volume) return Error(ErrorCode::kNotPermitted, "/s3v is always there");
  const auto committed = core_.Run(OriginId(), [&](Tx& tx) -> Result<InodeId> {
    AMPHORA_ASSIGN(const auto bytes, tx.kv().Get(Table::kRows, VolumeKey(name), Lock::kExclusive));
    if (!bytes) return Error(ErrorCode::kNoSuchVolume);
    AMPHORA_ASSIGN(const VolumeRecord record, DecodeVolume(*bytes));
    const InodeId directory = DirectoryOf(record.id);
    AMPHORA_ASSIGN(EmptyDirectory empty, CheckEmptyExclusively(tx, directory));
    AMPHORA_TRY(tx.kv().Erase(Table::kRows, VolumeKey(name)));
    AMPHORA_TRY(RemoveTop(tx, directory, std::move(empty.record)));
    return directory;
  });
  if (!committed.ok()) return committed.error();
  core_.live->Orphaned(committed->value, OriginId());
  return committed->ticket;
}

Result<Made<BucketInfo>> Buckets::CreateBucket(const Caller& caller, std::string_view owner,
                                               std::string_view volume, std::string_view name) {
  AMPHORA_TRY(CheckBucketName(name));
  AMPHORA_ASSIGN(const InodeId fresh, core_.NewInodeId());
  auto committed = core_.Run(caller.origin, [&](Tx& tx) -> Result<BucketInfo> {
    AMPHORA_ASSIGN(const VolumeRecord in, MustReadVolume(tx.kv(), volume));
    AMPHORA_ASSIGN(const auto bytes,
                   tx.kv().Get(Table::kRows, BucketKey(in.id, name), Lock::kExclusive));
    if (bytes) return Error(ErrorCode::kExists);
    const BucketId id(fresh.value());
    // The volume's row, taken shared here, is what DeleteVolume takes exclusively.
    const Status added = AddTop(tx, {fresh, DirectoryOf(in.id), name, id, caller.uid, caller.gid});
    if (added.Is(ErrorCode::kNotFound)) return Error(ErrorCode::kNoSuchVolume);
    AMPHORA_TRY(added);
    const BucketRecord record{id, std::string(owner), tx.now()};
    AMPHORA_TRY(tx.kv().Put(Table::kRows, BucketKey(in.id, name), Encode(record)));
    return ToBucketInfo(volume, name, record);
  });
  if (!committed.ok()) return committed.error();
  return Made<BucketInfo>{std::move(committed->value), committed->ticket};
}

Result<BucketInfo> Buckets::FindBucket(std::string_view volume, std::string_view name) {
  const std::string key = CacheKey(volume, name);
  if (auto cached = core_.buckets->Find(key)) {
    Count(Counter::kRecordCacheHits);
    return std::move(*cached);
  }
  Count(Counter::kRecordCacheMisses);
  const std::uint64_t generation = core_.buckets->Generation(key);
  meta::Reader& newest = core_.store->Newest();
  AMPHORA_ASSIGN(const VolumeRecord in, MustReadVolume(newest, volume));
  AMPHORA_ASSIGN(const auto record, ReadBucket(newest, in.id, name));
  if (!record) return Error(ErrorCode::kNoSuchBucket);
  BucketInfo info = ToBucketInfo(volume, name, *record);
  core_.buckets->Remember(key, generation, info);
  return info;
}

Result<BucketInfo> Buckets::GetBucket(std::string_view volume, std::string_view name) {
  AMPHORA_ASSIGN(BucketInfo info, FindBucket(volume, name));
  AMPHORA_ASSIGN(const meta::MergeValue usage,
                 ReadMerged(core_.store->Newest(), UsageKey(info.id)));
  info.objects = static_cast<std::uint64_t>(usage.sums[kFiles]);
  info.bytes = static_cast<std::uint64_t>(usage.sums[kBytes]);
  info.inodes = static_cast<std::uint64_t>(usage.sums[kFiles] + usage.sums[kDirectories]);
  info.part_bytes = static_cast<std::uint64_t>(usage.sums[kPartBytes]);
  info.settings = SettingsOf(info.id);
  return info;
}

namespace {

void ApplyChange(const BucketSettingsChange& change, BucketSettings& settings) {
  if (change.quota_bytes) settings.quota_bytes = *change.quota_bytes;
  if (change.quota_inodes) settings.quota_inodes = *change.quota_inodes;
  if (change.publish) settings.publish = *change.publish;
  if (change.posix_metadata) settings.posix_metadata = *change.posix_metadata;
  if (change.s3_uid) settings.s3_uid = *change.s3_uid;
  if (change.s3_gid) settings.s3_gid = *change.s3_gid;
  if (change.s3_permissions) settings.s3_permissions = *change.s3_permissions;
}

}  // namespace

BucketSettings Buckets::SettingsOf(BucketId bucket) {
  return core_.bucket_states->Find(bucket)->settings();
}

Result<Ticket> Buckets::ChangeSettings(std::string_view volume, std::string_view name,
                                       const BucketSettingsChange& change) {
  AMPHORA_ASSIGN(const BucketInfo named, FindBucket(volume, name));
  const BucketPath path =
      named.link_target.value_or(BucketPath{std::string(volume), std::string(name)});
  std::lock_guard lock(core_.bucket_states->changing());
  const auto committed = core_.Run(OriginId(), [&](Tx& tx) -> Result<BucketRecord> {
    AMPHORA_ASSIGN(const VolumeRecord in, MustReadVolume(tx.kv(), path.volume));
    const std::string key = BucketKey(in.id, path.name);
    AMPHORA_ASSIGN(const auto bytes, tx.kv().Get(Table::kRows, key, Lock::kExclusive));
    if (!bytes) return Error(ErrorCode::kNoSuchBucket);
    AMPHORA_ASSIGN(BucketRecord record, DecodeBucket(*bytes));
    ApplyChange(change, record.settings);
    AMPHORA_TRY(tx.kv().Put(Table::kRows, key, Encode(record)));
    return record;
  });
  if (!committed.ok()) return committed.error();
  core_.bucket_states->Find(committed->value.id)->Apply(committed->value.settings);
  return committed->ticket;
}

Result<std::vector<BucketInfo>> Buckets::ListBuckets(std::string_view volume) {
  std::vector<BucketInfo> buckets;
  const auto snapshot = core_.store->Snapshot();
  AMPHORA_ASSIGN(const VolumeRecord in, MustReadVolume(*snapshot, volume));
  AMPHORA_TRY(
      ForEachRow(RowCursor(*snapshot, Table::kRows, RangeOf(RowKind::kBucket, DirectoryOf(in.id))),
                 [&](const meta::Row& row) -> Status {
                   AMPHORA_ASSIGN(const BucketRecord record, DecodeBucket(row.value));
                   buckets.push_back(ToBucketInfo(volume, DecodeTextOf(row.key), record));
                   return Ok();
                 }));
  return buckets;
}

namespace {

// Rows of uploads that one transaction of DeleteBucket erases, about: a bucket may have any number.
constexpr std::size_t kUploadRowsAStep = 2000;

struct Removal {
  std::optional<InodeId> gone;  // its directory, or the link's; nothing: uploads were left
  std::vector<UploadId> freed;
};

// An empty bucket that no link shows goes; its uploads first, in steps, each of which proves that
// it is still empty.
Result<Removal> RemoveBucket(Tx& tx, const BucketRecord& record) {
  const InodeId directory = DirectoryOf(record.id);
  auto empty = CheckEmptyExclusively(tx, directory);
  if (empty.Is(ErrorCode::kNotEmpty)) return Error(ErrorCode::kBucketNotEmpty);
  if (!empty.ok()) return empty.error();
  // Whoever makes a link takes the bucket's row shared: no link comes behind this look.
  AMPHORA_ASSIGN(const auto links,
                 tx.kv().Scan(Table::kRows, RangeOf(RowKind::kLinkTo, directory), {.limit = 1}));
  if (!links.empty()) return Error(ErrorCode::kBucketHasLinks);
  // Uploads that nobody completed go with their bucket (S3: DeleteBucket asks for no more than
  // that its objects are gone).
  Removal removal;
  AMPHORA_ASSIGN(removal.freed, FreeUploads(tx, record.id, kUploadRowsAStep));
  if (!removal.freed.empty()) return removal;
  AMPHORA_TRY(tx.kv().EraseOwned(Table::kRows, UsageKey(record.id)));
  AMPHORA_TRY(RemoveTop(tx, directory, std::move(empty->record)));
  removal.gone = directory;
  return removal;
}

Result<Removal> RemoveNamed(Tx& tx, std::string_view volume, std::string_view name) {
  AMPHORA_ASSIGN(const VolumeRecord in, MustReadVolume(tx.kv(), volume));
  AMPHORA_ASSIGN(const auto bytes,
                 tx.kv().Get(Table::kRows, BucketKey(in.id, name), Lock::kExclusive));
  if (!bytes) return Error(ErrorCode::kNoSuchBucket);
  AMPHORA_ASSIGN(const BucketRecord record, DecodeBucket(*bytes));
  Removal removal;
  if (record.is_link()) {
    AMPHORA_ASSIGN(removal.gone, RemoveLink(tx, record));
  } else {
    AMPHORA_ASSIGN(removal, RemoveBucket(tx, record));
  }
  if (removal.gone) AMPHORA_TRY(tx.kv().Erase(Table::kRows, BucketKey(in.id, name)));
  return removal;
}

}  // namespace

Result<Ticket> Buckets::DeleteBucket(std::string_view volume, std::string_view name) {
  for (;;) {
    const auto committed = core_.Run(
        OriginId(), [&](Tx& tx) -> Result<Removal> { return RemoveNamed(tx, volume, name); });
    if (!committed.ok()) return committed.error();
    for (const UploadId upload : committed->value.freed) {
      core_.part_places->PauseWriters(upload).End();
      core_.part_places->Forget(upload);
    }
    if (!committed->value.freed.empty()) core_.collector->Kick();
    AMPHORA_TRY(Failpoint("fs.bucket.between_steps"));
    if (!committed->value.gone) continue;
    core_.buckets->Forget(CacheKey(volume, name));
    core_.live->Orphaned(*committed->value.gone, OriginId());
    core_.bucket_states->Forget(BucketId(committed->value.gone->value()));
    AMPHORA_TRY(Failpoint("fs.bucket.after_delete"));
    return committed->ticket;
  }
}

}  // namespace amphora::fs
