// A typed transaction: rows as structs, one stamp and one time for the whole transaction, and the
// changes to publish after the commit. Made by Core::Run. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/bucket_states.h"
#include "fs/changes.h"
#include "fs/directory_cache.h"
#include "fs/keys.h"
#include "fs/records.h"
#include "fs/types.h"
#include "meta/kv.h"

namespace amphora::fs {

class Core;
using meta::Lock;
using meta::Table;

// Reads typed rows from a transaction, a snapshot or the newest state.
Result<std::optional<InodeRecord>> ReadInode(meta::Reader& reader, InodeId inode);
Result<std::optional<DentryRecord>> ReadDentry(meta::Reader& reader, InodeId directory,
                                               std::string_view raw, bool is_directory);
Result<meta::MergeValue> ReadMerged(meta::Reader& reader, std::string_view key);
// Inode rows in the order of `inodes`; absent ones are nullopt.
Result<std::vector<std::optional<InodeRecord>>> ReadInodes(meta::Reader& reader,
                                                           const std::vector<InodeId>& inodes);

// The extents of `inode` from offset 0 on. kCorrupt when they leave a gap.
Result<std::vector<ExtentRecord>> ReadExtents(meta::Reader& reader, InodeId inode);

class Tx {
 public:
  // `directories` is told of every change of a directory; it outlives the commit, and its owner
  // notes the outcome.
  Tx(Core& core, meta::Transaction& kv, OriginId origin, DirectoryCache::Changes& directories);

  Core& core() { return core_; }
  meta::Transaction& kv() { return kv_; }
  OriginId origin() const { return origin_; }
  // The same for all that this transaction writes.
  std::uint64_t stamp() const { return stamp_; }
  Time now() const { return now_; }

  // kNotFound when there is no such row.
  Result<InodeRecord> GetInode(InodeId inode, Lock lock);
  Result<std::optional<InodeRecord>> FindInode(InodeId inode, Lock lock);
  // The same for what is a directory, mostly: its row may be known already.
  Result<std::optional<InodeRecord>> FindDirectory(InodeId inode, Lock lock);
  // An existing row: locked exclusively.
  Status PutInode(InodeId inode, const InodeRecord& record);
  Status PutFreshInode(InodeId inode, const InodeRecord& record);
  // Ends chmod, utimensat, rename, setxattr and the like on a row held exclusively: ctime moves, an
  // implicit directory becomes explicit and no longer vanishes, and every kernel is told. A
  // directory's times, given ones too, go to its merged row as well.
  Status PutPosixChange(InodeId inode, InodeRecord& record, std::optional<Time> accessed = {},
                        std::optional<Time> modified = {});
  // The last name of an inode is gone and somebody may hold it: the row stays, with an orphan row
  // in the same batch. After the commit: LiveTable::Orphaned.
  Status OrphanInode(InodeId inode, InodeRecord& record);
  // Erases the row, the inline content and the xattrs of an inode. A directory in which nothing was
  // ever made has no row of sums.
  enum class Sums : std::uint8_t { kMayExist, kNone };
  Status EraseInode(InodeId inode, const InodeRecord& record, Sums sums = Sums::kMayExist);

  // Adds one reference to a blob (a fresh one starts at 1).
  Status AddBlobReference(BlobId blob);
  // Takes one away; the last one puts the blob into the collector's queue.
  Status DropBlobReference(BlobId blob);
  // Several at once; 0 reads and writes nothing.
  Status ChangeBlobReferences(BlobId blob, std::int64_t change);
  // Erases the extent rows of `inode`, drops their references, and takes it out of the join queue.
  Status EraseExtents(InodeId inode);
  Status PutInlineContent(InodeId inode, std::string_view bytes);
  Status EraseInlineContent(InodeId inode);

  Status MergeSums(InodeId directory, const meta::MergeValue& operand);
  // Blind merges.
  Status TouchDirectory(InodeId directory, std::int64_t entries, std::int64_t subdirectories);
  Status AddUsage(BucketId bucket, std::int64_t files, std::int64_t directories,
                  std::int64_t bytes);
  Status AddPartUsage(BucketId bucket, std::int64_t bytes);
  // So many of the bytes that this transaction adds are in the bucket's ledger already.
  void CreditUsage(BucketId bucket, std::uint64_t bytes);
  // What all these calls come to, for the ledger.
  const std::vector<UsageChange>& usage() const { return usage_; }

  void AddChange(Change change);
  // The attributes of `inode` are new.
  void AddAttributeChange(InodeId inode, BucketId bucket);
  std::vector<Change> TakeChanges() { return std::move(changes_); }

 private:
  void NoteUsage(BucketId bucket, std::int64_t bytes, std::int64_t inodes);

  Core& core_;
  meta::Transaction& kv_;
  DirectoryCache::Changes& directories_;
  const OriginId origin_;
  const std::uint64_t stamp_;
  const Time now_;
  std::vector<Change> changes_;
  std::vector<UsageChange> usage_;
};

}  // namespace amphora::fs
