// The namespace rules of fs/entries.h.
#include "fs/entries.h"

#include "fs/core.h"
#include "fs/escape.h"

namespace amphora::fs {
namespace {

Status WriteDentry(Tx& tx, const Slot& slot, bool is_directory, const DentryRecord& record) {
  AMPHORA_TRY(
      tx.kv().Put(Table::kRows, DentryKey(slot.parent, slot.raw, is_directory), Encode(record)));
  const PositionRecord position{slot.raw, record.inode, record.kind, record.shadowed};
  return tx.kv().PutFresh(Table::kRows, PositionKey(slot.parent, record.position),
                          Encode(position));
}

// A directory of the same name came or went: the file beside it is hidden under its escape, or not.
Status Shadow(Tx& tx, Slot& slot, bool shadowed) {
  if (!slot.file || slot.file->shadowed == shadowed) return Ok();
  slot.file->shadowed = shadowed;
  return WriteDentry(tx, slot, false, *slot.file);
}

void AddNameChange(Tx& tx, const Slot& slot, BucketId bucket, std::string name, InodeId old_inode) {
  tx.AddChange({.what = Change::What::kEntry,
                .inode = slot.parent,
                .name = std::move(name),
                .old_inode = old_inode,
                .bucket = bucket,
                .origin = {}});
}

// Both visible names when the other kind exists too: each change of one changes what both mean.
void AddChanges(Tx& tx, const Slot& slot, BucketId bucket, bool is_directory, InodeId old_inode) {
  const bool both = is_directory ? slot.file.has_value() : slot.directory.has_value();
  AddNameChange(tx, slot, bucket, ToVisibleName(slot.raw, is_directory, false), old_inode);
  if (both) {
    AddNameChange(tx, slot, bucket, EscapedName(slot.raw, false),
                  slot.file ? slot.file->inode : old_inode);
  }
}

}  // namespace

Result<Slot> ReadSlot(Tx& tx, InodeId parent, std::string_view raw, Lock lock) {
  Slot slot{parent, std::string(raw), std::nullopt, std::nullopt};
  const std::string keys[] = {DentryKey(parent, raw, false), DentryKey(parent, raw, true)};
  AMPHORA_ASSIGN(const auto rows, tx.kv().MultiGet(Table::kRows, keys, lock));
  if (rows[0]) {
    AMPHORA_ASSIGN(slot.file, DecodeDentry(*rows[0]));
  }
  if (rows[1]) {
    AMPHORA_ASSIGN(slot.directory, DecodeDentry(*rows[1]));
  }
  return slot;
}

Result<InodeRecord> LockParentToAdd(Tx& tx, InodeId parent, ParentUse use) {
  AMPHORA_ASSIGN(auto found, tx.FindDirectory(parent, Lock::kShared));
  if (!found || found->links == 0) return Error(ErrorCode::kNotFound, "parent directory");
  if (found->kind != FileKind::kDirectory) return Error(ErrorCode::kNotDirectory);
  if (use == ParentUse::kObject) return std::move(*found);
  if (!found->bucket.valid()) {
    return Error(ErrorCode::kNotPermitted, "volumes and buckets are made by `amphora`");
  }
  if (!found->implicit) return std::move(*found);
  AMPHORA_ASSIGN(InodeRecord parent_record, tx.GetInode(parent, Lock::kExclusive));
  parent_record.implicit = false;
  AMPHORA_TRY(tx.PutInode(parent, parent_record));
  return parent_record;
}

Status AddEntry(Tx& tx, Slot& slot, BucketId bucket, const NewEntry& entry) {
  const bool is_directory = entry.kind == FileKind::kDirectory;
  // One of its own kind is there: RENAME_EXCHANGE between a file and a directory can meet it.
  if (is_directory ? slot.directory.has_value() : slot.file.has_value()) {
    return Error(ErrorCode::kExists, "the name is taken by one of its own kind");
  }
  if (!is_directory && slot.raw.empty() && slot.parent.value() == bucket.value()) {
    return Error(ErrorCode::kInvalidArgument, "a file with the empty name in a bucket has no key");
  }
  DentryRecord record;
  record.inode = entry.inode;
  record.kind = entry.kind;
  record.position = tx.core().stamps->Next();
  record.shadowed = !is_directory && slot.directory.has_value();
  AMPHORA_TRY(WriteDentry(tx, slot, is_directory, record));
  if (is_directory) {
    slot.directory = record;
    AMPHORA_TRY(Shadow(tx, slot, true));
  } else {
    slot.file = record;
  }
  AMPHORA_TRY(tx.TouchDirectory(slot.parent, 1, is_directory ? 1 : 0));
  AddChanges(tx, slot, bucket, is_directory, InodeId());
  return Ok();
}

Status ReplaceEntry(Tx& tx, Slot& slot, BucketId bucket, const NewEntry& entry) {
  const bool is_directory = entry.kind == FileKind::kDirectory;
  std::optional<DentryRecord>& record = is_directory ? slot.directory : slot.file;
  const InodeId old_inode = record->inode;
  record->inode = entry.inode;
  record->kind = entry.kind;
  AMPHORA_TRY(WriteDentry(tx, slot, is_directory, *record));
  AMPHORA_TRY(tx.TouchDirectory(slot.parent, 0, 0));
  AddChanges(tx, slot, bucket, is_directory, old_inode);
  return Ok();
}

Status RemoveEntry(Tx& tx, Slot& slot, BucketId bucket, bool is_directory) {
  std::optional<DentryRecord>& record = is_directory ? slot.directory : slot.file;
  AMPHORA_TRY(tx.kv().Erase(Table::kRows, DentryKey(slot.parent, slot.raw, is_directory)));
  AMPHORA_TRY(tx.kv().EraseOwned(Table::kRows, PositionKey(slot.parent, record->position)));
  AMPHORA_TRY(tx.TouchDirectory(slot.parent, -1, is_directory ? -1 : 0));
  AddChanges(tx, slot, bucket, is_directory, record->inode);
  record.reset();
  if (is_directory) return Shadow(tx, slot, false);
  return Ok();
}

Result<EmptyDirectory> CheckEmptyExclusively(Tx& tx, InodeId inode) {
  AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
  if (record.kind != FileKind::kDirectory) return Error(ErrorCode::kNotDirectory);
  if (record.links == 0) return Error(ErrorCode::kNotFound, "directory");
  // Who adds a name merges it into the sums, in the same batch: no row, no name ever. From the
  // store: the directory cache learns of a merge only after the commit that let go of the lock.
  AMPHORA_ASSIGN(const meta::MergeValue sums,
                 ReadMerged(tx.core().store->Newest(), DirectoryStatKey(inode)));
  if (sums == meta::MergeValue()) return EmptyDirectory{std::move(record), sums};
  AMPHORA_ASSIGN(const auto rows,
                 tx.kv().Scan(Table::kRows, RangeOf(RowKind::kDentry, inode), {.limit = 1}));
  if (!rows.empty()) return Error(ErrorCode::kNotEmpty);
  return EmptyDirectory{std::move(record), sums};
}

}  // namespace amphora::fs
