// Admin::Check: the driver, and the rows that hang on inodes. See checker.h.

#include <algorithm>
#include <utility>

#include "fs/admin/checker.h"
#include "fs/admin/row_cursor.h"
#include "fs/core.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kMostFindingsKept = 10'000;
constexpr std::uint64_t kTellEvery = 10'000;

std::string_view KindText(FileKind kind) {
  switch (kind) {
    case FileKind::kRegular:
      return "file";
    case FileKind::kDirectory:
      return "directory";
    case FileKind::kSymlink:
      return "symlink";
    case FileKind::kFifo:
    case FileKind::kSocket:
    case FileKind::kCharacterDevice:
    case FileKind::kBlockDevice:
      return "special file";
  }
  return "unknown";
}

}  // namespace

Checker::Checker(Core& core, const ProgressFunction& progress)
    : core_(core), progress_(progress), snapshot_(core.store->Snapshot()) {}

void Checker::Report(std::string kind, std::string what, std::string repair) {
  ++report_.findings_total;
  if (report_.findings.size() >= kMostFindingsKept) return;
  report_.findings.push_back({std::move(kind), std::move(what), std::move(repair)});
}

std::string Checker::Text(InodeId inode) const {
  std::string text = "inode " + std::to_string(inode.value());
  const auto found = nodes_.find(inode);
  if (found == nodes_.end()) return text + " (no such row)";
  const Node& node = found->second;
  text.append(" (").append(KindText(node.kind));
  if (!node.name.empty()) text.append(" \"").append(node.name).append("\"");
  text.append(", links ").append(std::to_string(node.links));
  text.append(", in bucket ").append(std::to_string(node.bucket.value())).append(")");
  return text;
}

void Checker::Tell(std::string_view phase, std::uint64_t done) {
  if (progress_ && done % kTellEvery == 0) progress_({std::string(phase), done, 0});
}

Checker::Node* Checker::Find(InodeId inode) {
  const auto found = nodes_.find(inode);
  return found == nodes_.end() ? nullptr : &found->second;
}

template <typename Take>
Status Checker::ForEach(RowKind kind, Take&& take) {
  return ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(kind)),
                    [&](const meta::Row& row) -> Status {
                      AMPHORA_ASSIGN(const InodeId inode, DecodeInodeOf(row.key));
                      return take(inode, row);
                    });
}

Status Checker::ReadInodeRows() {
  return ForEach(RowKind::kInode, [&](InodeId inode, const meta::Row& row) -> Status {
    Tell("inodes", report_.inodes++);
    auto record = DecodeInode(row.value);
    if (!record.ok()) {
      Report("unreadable-row", KeyToText(row.key), "remove the row and the names that lead to it");
      return Ok();
    }
    Node& node = nodes_[inode];
    node.kind = record->kind;
    node.content = record->content;
    node.implicit = record->implicit;
    node.has_xattrs = record->has_xattrs;
    node.has_part_checksums = record->has_part_checksums;
    node.links = record->links;
    node.size = record->kind == FileKind::kRegular ? record->size : 0;
    node.bucket = record->bucket;
    node.parent = record->parent;
    node.blob = record->blob;
    if (record->kind == FileKind::kDirectory) node.name = std::move(record->name);
    if (node.content == ContentKind::kBlob) ++references_[node.blob];
    return Ok();
  });
}

// The rows that say one thing of an inode.
Status Checker::ReadMarks() {
  const auto mark = [this](RowKind kind, bool Node::*field, const char* finding) {
    return ForEach(kind, [&](InodeId inode, const meta::Row& row) -> Status {
      if (Node* const node = Find(inode)) {
        node->*field = true;
      } else {
        Report(finding, KeyToText(row.key) + ": its inode is gone", "remove the row");
      }
      return Ok();
    });
  };
  AMPHORA_TRY(mark(RowKind::kOrphan, &Node::orphan_row, "stray-orphan-row"));
  AMPHORA_TRY(mark(RowKind::kOpenForWrite, &Node::open_for_write, "stray-open-for-write-row"));
  AMPHORA_TRY(mark(RowKind::kJoin, &Node::join_row, "stray-join-row"));
  AMPHORA_TRY(mark(RowKind::kPartChecksums, &Node::part_checksums_row, "stray-part-checksums-row"));
  AMPHORA_TRY(mark(RowKind::kXattr, &Node::xattr_row, "stray-xattr"));
  // A row of a directory that is gone is taken away by the next start: no harm.
  return ForEach(RowKind::kVanishing, [&](InodeId inode, const meta::Row&) -> Status {
    if (Node* const node = Find(inode)) node->vanishing_row = true;
    return Ok();
  });
}

void Checker::CheckInode(InodeId inode, const Node& node) {
  const bool directory = node.kind == FileKind::kDirectory;
  if (node.links == 0) {
    if (!node.orphan_row) {
      Report("lost-orphan", Text(inode) + " has no link and no orphan row", "remove the inode");
    }
    if (node.entries != 0) {
      Report("names-in-removed-directory", Text(inode), "move the names to a lost+found directory");
    }
  } else if (node.orphan_row) {
    Report("stray-orphan-row", Text(inode) + " has links", "remove the orphan row");
  }
  const std::uint64_t expected = directory && inode == kStoreRoot ? 0 : node.links;
  if (node.names != expected) {
    const bool unreachable = node.names == 0;
    Report(unreachable ? "unreachable-inode" : "wrong-link-count",
           Text(inode) + " has " + std::to_string(node.names) + " names",
           unreachable ? "give it a name in a lost+found directory"
                       : "set the link count to the number of names");
  }
  if (node.has_xattrs != node.xattr_row) {
    Report("wrong-xattr-flag", Text(inode), "set the flag by the rows that are there");
  }
  if (node.has_part_checksums != node.part_checksums_row) {
    Report("wrong-part-checksums-flag", Text(inode), "remove the row and clear the flag");
  }
  if (directory && node.links != 0 && !node.sums_row && node.entries != 0) {
    Report("missing-directory-sums", Text(inode), "count the entries and write the row");
  }
  if (node.implicit && node.links != 0 && node.entries == 0 && !node.vanishing_row) {
    Report("empty-implicit-directory", Text(inode), "remove it");
  }
  if (node.implicit && !directory) {
    Report("wrong-implicit-flag", Text(inode) + " is no directory", "clear the flag");
  }
}

// Ids that were given out lie below what is durably reserved: else a later one could be the same.
Status Checker::CheckReservations() {
  InodeId greatest_inode;
  BlobId greatest_blob;
  for (const auto& [inode, node] : nodes_) greatest_inode = std::max(greatest_inode, inode);
  for (const auto& [blob, count] : references_) greatest_blob = std::max(greatest_blob, blob);
  const auto check = [&](const char* name, std::uint64_t greatest) -> Status {
    AMPHORA_ASSIGN(const auto bytes, snapshot_->Get(Table::kRows, ReservationKey(name)));
    ReservationRecord record;
    if (bytes) {
      AMPHORA_ASSIGN(record, DecodeReservation(*bytes));
    }
    if (greatest == 0 || greatest < record.limit) return Ok();
    Report("unreserved-id", std::string(name) + " " + std::to_string(greatest),
           "raise the reservation above it");
    return Ok();
  };
  if (greatest_inode != kStoreRoot) AMPHORA_TRY(check("inode", greatest_inode.value()));
  return check("blob", greatest_blob.value());
}

Result<CheckReport> Checker::Run() {
  AMPHORA_TRY(ReadInodeRows());
  AMPHORA_TRY(ReadMarks());
  AMPHORA_TRY(CheckNames());
  AMPHORA_TRY(CheckSums());
  AMPHORA_TRY(CheckVolumes());
  CheckReachable();
  AMPHORA_TRY(ReadContentRows());
  AMPHORA_TRY(ReadExtentRows());
  AMPHORA_TRY(ReadUploadRows());
  AMPHORA_TRY(CheckBlobs());
  AMPHORA_TRY(CheckUsage());
  AMPHORA_TRY(CheckReservations());
  for (const auto& [inode, node] : nodes_) CheckInode(inode, node);
  return std::move(report_);
}

Result<CheckReport> Admin::Check(const ProgressFunction& progress) {
  return Checker(core_, progress).Run();
}

}  // namespace amphora::fs
