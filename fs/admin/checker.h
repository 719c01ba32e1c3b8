// The parts of `check`: what one snapshot holds, gathered in memory (some 150 bytes an inode), and
// the proofs over it. One thread; the snapshot makes it correct beside running work. What is live
// in memory may be ahead of the rows, so sizes of blobs are judged only of files that nobody has
// open, and a blob that is missing is looked for again in the newest state before it is reported.
//
// What is proved: every name leads to a live inode and has its position; every inode has as many
// names as it says, in the directory and bucket it says; every directory is reached from the root;
// directory sums, shadowed flags and usage counters are right; every link shows a bucket that knows
// of it; content, xattr, orphan, volume and bucket rows belong to inodes; extents follow each other
// up to the size; parts and held blobs belong to uploads, uploads to buckets; blobs are referred to
// as often as their rows say and are there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fs/admin.h"
#include "fs/records.h"
#include "fs/tx.h"

namespace amphora::fs {

class Checker {
 public:
  Checker(Core& core, const ProgressFunction& progress);
  Result<CheckReport> Run();

 private:
  // What check keeps of an inode.
  struct Node {
    FileKind kind = FileKind::kRegular;
    ContentKind content = ContentKind::kEmpty;
    bool implicit = false;
    bool has_xattrs = false;
    bool orphan_row = false;
    bool vanishing_row = false;
    bool sums_row = false;
    bool content_row = false;
    bool xattr_row = false;
    bool open_for_write = false;
    bool join_row = false;
    bool has_part_checksums = false;
    bool part_checksums_row = false;
    bool reached = false;  // from the store's root
    std::uint64_t links = 0;
    std::uint64_t names = 0;
    std::uint64_t size = 0;
    std::uint64_t extent_bytes = 0;
    std::uint64_t entries = 0;         // of a directory
    std::uint64_t subdirectories = 0;  // of a directory
    BucketId bucket;
    InodeId parent;
    BlobId blob;
    std::string name;  // of a directory
  };
  struct Entry {
    EntryName name;
    DentryRecord record;
  };
  struct Sums {
    std::int64_t files = 0;
    std::int64_t directories = 0;
    std::int64_t bytes = 0;
    std::int64_t part_bytes = 0;
    friend bool operator==(const Sums&, const Sums&) = default;
  };

  void Report(std::string kind, std::string what, std::string repair);
  // "inode 17 (file, links 1, in bucket 20)".
  std::string Text(InodeId inode) const;
  void Tell(std::string_view phase, std::uint64_t done);
  Node* Find(InodeId inode);
  // `take(InodeId, const Row&)` for each row of one kind.
  template <typename Take>
  Status ForEach(RowKind kind, Take&& take);

  // check.cc: inodes and the rows that hang on them.
  Status ReadInodeRows();
  Status ReadMarks();
  Status CheckReservations();
  void CheckInode(InodeId inode, const Node& node);
  // check_names.cc
  Status CheckNames();
  Status CheckDirectory(InodeId directory, const std::vector<Entry>& entries,
                        class RowCursor& positions);
  void CheckEntry(InodeId directory, const Node* parent, const Entry& entry);
  Status CheckSums();
  Status CheckDirectoryless(class RowCursor& positions);
  void CheckReachable();
  Status CheckVolumes();
  Status CheckLink(const meta::Row& row, const BucketRecord& link);
  Status CheckLinkRows();
  // check_extents.cc: content in several blobs, and uploads
  Status ReadExtentRows();
  Status ReadUploadRows();
  Status CheckRun(BlobId blob, std::uint64_t end, const std::string& key);
  // check_content.cc
  Status ReadContentRows();
  Status CheckBlobs();
  Status CheckBlobFile(InodeId inode, const Node& node);
  Status CountParts(std::unordered_map<BucketId, Sums>& counted);
  static std::string TextOf(const Sums& sums);
  Status CheckUsage();

  Core& core_;
  const ProgressFunction& progress_;
  std::unique_ptr<meta::Reader> snapshot_;
  CheckReport report_;
  std::unordered_map<InodeId, Node> nodes_;
  std::unordered_map<BlobId, std::uint64_t> references_;  // by inode, extent and held-blob rows
  // The names below the store's root and below volumes, to be compared with the 'V' and 'K' rows.
  std::unordered_map<std::string, InodeId> tops_;
};

}  // namespace amphora::fs
