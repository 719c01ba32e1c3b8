// Typed rows over a metadata transaction.
#include "fs/tx.h"

#include <map>

#include "fs/core.h"

namespace amphora::fs {

Result<std::optional<InodeRecord>> ReadInode(meta::Reader& reader, InodeId inode) {
  AMPHORA_ASSIGN(const auto bytes, reader.Get(Table::kRows, InodeKey(inode)));
  if (!bytes) return std::optional<InodeRecord>();
  AMPHORA_ASSIGN(InodeRecord record, DecodeInode(*bytes));
  return std::optional<InodeRecord>(std::move(record));
}

Result<std::optional<DentryRecord>> ReadDentry(meta::Reader& reader, InodeId directory,
                                               std::string_view raw, bool is_directory) {
  AMPHORA_ASSIGN(const auto bytes,
                 reader.Get(Table::kRows, DentryKey(directory, raw, is_directory)));
  if (!bytes) return std::optional<DentryRecord>();
  AMPHORA_ASSIGN(DentryRecord record, DecodeDentry(*bytes));
  return std::optional<DentryRecord>(record);
}

Result<meta::MergeValue> ReadMerged(meta::Reader& reader, std::string_view key) {
  AMPHORA_ASSIGN(const auto bytes, reader.Get(Table::kRows, key));
  if (!bytes) return meta::MergeValue{};
  return meta::DecodeMergeValue(*bytes);
}

Result<std::vector<std::optional<InodeRecord>>> ReadInodes(meta::Reader& reader,
                                                           const std::vector<InodeId>& inodes) {
  std::vector<std::string> keys;
  keys.reserve(inodes.size());
  for (const InodeId inode : inodes) keys.push_back(InodeKey(inode));
  AMPHORA_ASSIGN(const auto rows, reader.MultiGet(Table::kRows, keys));
  std::vector<std::optional<InodeRecord>> records;
  records.reserve(rows.size());
  for (const auto& bytes : rows) {
    if (!bytes) {
      records.emplace_back();
      continue;
    }
    AMPHORA_ASSIGN(InodeRecord record, DecodeInode(*bytes));
    records.emplace_back(std::move(record));
  }
  return records;
}

Result<std::vector<ExtentRecord>> ReadExtents(meta::Reader& reader, InodeId inode) {
  constexpr std::size_t kAScan = 1000;
  std::vector<ExtentRecord> extents;
  meta::KeyRange range = RangeOf(RowKind::kExtent, inode);
  std::uint64_t offset = 0;
  for (;;) {
    AMPHORA_ASSIGN(const auto rows, reader.Scan(Table::kRows, range, {.limit = kAScan}));
    for (const meta::Row& row : rows) {
      AMPHORA_ASSIGN(const ExtentRecord extent, DecodeExtent(row.value));
      if (row.key != ExtentKey(inode, offset)) {
        return Error(ErrorCode::kCorrupt, "extents leave a gap");
      }
      offset += extent.length;
      extents.push_back(extent);
    }
    if (rows.size() < kAScan) return extents;
    range.begin = rows.back().key + '\0';
  }
}

Tx::Tx(Core& core, meta::Transaction& kv, OriginId origin, DirectoryCache::Changes& directories)
    : core_(core),
      kv_(kv),
      directories_(directories),
      origin_(origin),
      stamp_(core.stamps->Next()),
      now_(Time::Now()) {}

Result<std::optional<InodeRecord>> Tx::FindInode(InodeId inode, Lock lock) {
  AMPHORA_ASSIGN(const auto bytes, kv_.Get(Table::kRows, InodeKey(inode), lock));
  if (!bytes) return std::optional<InodeRecord>();
  AMPHORA_ASSIGN(InodeRecord record, DecodeInode(*bytes));
  return std::optional<InodeRecord>(std::move(record));
}

Result<std::optional<InodeRecord>> Tx::FindDirectory(InodeId inode, Lock lock) {
  AMPHORA_TRY(kv_.LockRow(Table::kRows, InodeKey(inode), lock));
  DirectoryCache& cache = *core_.directories;
  if (auto known = cache.FindRow(inode)) return known;
  const std::uint64_t generation = cache.Generation(inode);
  AMPHORA_ASSIGN(auto record, ReadInode(kv_, inode));
  if (record && record->kind == FileKind::kDirectory) {
    cache.RememberRow(inode, generation, *record);
  }
  return record;
}

Result<InodeRecord> Tx::GetInode(InodeId inode, Lock lock) {
  AMPHORA_ASSIGN(auto record, FindInode(inode, lock));
  if (!record) return Error(ErrorCode::kNotFound, "inode");
  return std::move(*record);
}

Status Tx::PutInode(InodeId inode, const InodeRecord& record) {
  if (record.kind == FileKind::kDirectory) directories_.Row(inode);
  return kv_.Put(Table::kRows, InodeKey(inode), Encode(record));
}

Status Tx::PutFreshInode(InodeId inode, const InodeRecord& record) {
  return kv_.PutFresh(Table::kRows, InodeKey(inode), Encode(record));
}

Status Tx::PutPosixChange(InodeId inode, InodeRecord& record, std::optional<Time> accessed,
                          std::optional<Time> modified) {
  if (accessed) record.accessed = *accessed;
  if (modified) record.modified = *modified;
  record.changed = now_;
  record.implicit = false;
  AMPHORA_TRY(PutInode(inode, record));
  if (record.kind == FileKind::kDirectory) {
    meta::MergeValue operand;
    operand.latest[kChanged] = {stamp_, now_.nanoseconds()};
    if (modified) operand.latest[kModified] = {stamp_, modified->nanoseconds()};
    if (accessed) operand.latest[kAccessed] = {stamp_, accessed->nanoseconds()};
    AMPHORA_TRY(MergeSums(inode, operand));
  }
  AddAttributeChange(inode, record.bucket);
  return Ok();
}

Status Tx::OrphanInode(InodeId inode, InodeRecord& record) {
  record.links = 0;
  AMPHORA_TRY(PutInode(inode, record));
  return kv_.PutFresh(Table::kRows, OrphanKey(inode), "");
}

Status Tx::EraseInode(InodeId inode, const InodeRecord& record, Sums sums) {
  AMPHORA_TRY(kv_.Erase(Table::kRows, InodeKey(inode)));
  if (record.content == ContentKind::kInline) AMPHORA_TRY(EraseInlineContent(inode));
  if (record.content == ContentKind::kBlob) {
    AMPHORA_TRY(DropBlobReference(record.blob));
    // It may have been written a moment ago and not be synced yet.
    AMPHORA_TRY(kv_.EraseOwned(Table::kRows, OpenForWriteKey(inode)));
  }
  if (record.content == ContentKind::kExtents) AMPHORA_TRY(EraseExtents(inode));
  if (record.has_part_checksums) {
    AMPHORA_TRY(kv_.EraseOwned(Table::kRows, PartChecksumsKey(inode)));
  }
  if (record.kind == FileKind::kDirectory) {
    directories_.Row(inode);
    if (sums == Sums::kMayExist) {
      AMPHORA_TRY(kv_.EraseOwned(Table::kRows, DirectoryStatKey(inode)));
    }
  }
  if (!record.has_xattrs) return Ok();
  for (;;) {
    AMPHORA_ASSIGN(const auto rows,
                   kv_.Scan(Table::kRows, RangeOf(RowKind::kXattr, inode), {.limit = 1000}));
    for (const meta::Row& row : rows) AMPHORA_TRY(kv_.EraseOwned(Table::kRows, row.key));
    if (rows.size() < 1000) return Ok();
  }
}

Status Tx::EraseExtents(InodeId inode) {
  AMPHORA_ASSIGN(const auto extents, ReadExtents(kv_, inode));
  std::map<BlobId, std::int64_t> references;
  std::uint64_t offset = 0;
  for (const ExtentRecord& extent : extents) {
    AMPHORA_TRY(kv_.EraseOwned(Table::kRows, ExtentKey(inode, offset)));
    offset += extent.length;
    ++references[extent.blob];
  }
  for (const auto& [blob, count] : references) AMPHORA_TRY(ChangeBlobReferences(blob, -count));
  return kv_.EraseOwned(Table::kRows, JoinKey(inode));
}

Status Tx::AddBlobReference(BlobId blob) { return ChangeBlobReferences(blob, 1); }

Status Tx::DropBlobReference(BlobId blob) { return ChangeBlobReferences(blob, -1); }

Status Tx::ChangeBlobReferences(BlobId blob, std::int64_t change) {
  if (change == 0) return Ok();
  AMPHORA_ASSIGN(const auto bytes, kv_.Get(Table::kRows, BlobKey(blob), Lock::kExclusive));
  BlobRecord record;
  if (bytes) {
    AMPHORA_ASSIGN(record, DecodeBlob(*bytes));
  }
  const auto references = static_cast<std::int64_t>(record.references) + change;
  if (references < 0) return Error(ErrorCode::kCorrupt, "a blob has too few references");
  if (references > 0) {
    record.references = static_cast<std::uint64_t>(references);
    return kv_.Put(Table::kRows, BlobKey(blob), Encode(record));
  }
  AMPHORA_TRY(kv_.Erase(Table::kRows, BlobKey(blob)));
  return kv_.PutFresh(Table::kRows, GarbageKey(blob), "");
}

Status Tx::PutInlineContent(InodeId inode, std::string_view bytes) {
  return kv_.PutFresh(Table::kContent, ContentKey(inode), bytes);
}

Status Tx::EraseInlineContent(InodeId inode) {
  return kv_.EraseOwned(Table::kContent, ContentKey(inode));
}

Status Tx::MergeSums(InodeId directory, const meta::MergeValue& operand) {
  directories_.Sums(directory, operand);
  return kv_.Merge(Table::kRows, DirectoryStatKey(directory), operand);
}

Status Tx::TouchDirectory(InodeId directory, std::int64_t entries, std::int64_t subdirectories) {
  meta::MergeValue operand;
  operand.sums[kEntries] = entries;
  operand.sums[kSubdirectories] = subdirectories;
  operand.latest[kModified] = {stamp_, now_.nanoseconds()};
  operand.latest[kChanged] = {stamp_, now_.nanoseconds()};
  return MergeSums(directory, operand);
}

Status Tx::AddUsage(BucketId bucket, std::int64_t files, std::int64_t directories,
                    std::int64_t bytes) {
  if (!bucket.valid() || (files == 0 && directories == 0 && bytes == 0)) return Ok();
  meta::MergeValue operand;
  operand.sums[kFiles] = files;
  operand.sums[kDirectories] = directories;
  operand.sums[kBytes] = bytes;
  NoteUsage(bucket, bytes, files + directories);
  return kv_.Merge(Table::kRows, UsageKey(bucket), operand);
}

Status Tx::AddPartUsage(BucketId bucket, std::int64_t bytes) {
  if (bytes == 0) return Ok();
  meta::MergeValue operand;
  operand.sums[kPartBytes] = bytes;
  NoteUsage(bucket, bytes, 0);
  return kv_.Merge(Table::kRows, UsageKey(bucket), operand);
}

void Tx::CreditUsage(BucketId bucket, std::uint64_t bytes) {
  NoteUsage(bucket, -static_cast<std::int64_t>(bytes), 0);
}

void Tx::NoteUsage(BucketId bucket, std::int64_t bytes, std::int64_t inodes) {
  for (UsageChange& known : usage_) {
    if (known.bucket != bucket) continue;
    known.bytes += bytes;
    known.inodes += inodes;
    return;
  }
  usage_.push_back({bucket, bytes, inodes});
}

void Tx::AddAttributeChange(InodeId inode, BucketId bucket) {
  AddChange({.what = Change::What::kAttributes,
             .inode = inode,
             .name = {},
             .old_inode = {},
             .bucket = bucket,
             .origin = {}});
}

void Tx::AddChange(Change change) {
  change.origin = origin_;
  changes_.push_back(std::move(change));
}

}  // namespace amphora::fs
