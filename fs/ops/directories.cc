// readdir: the order index gives every entry a position that survives its removal and is never
// reused, so that the kernel's directory cache can hand one handle's position to another
// (docs/decisions/0001-directory-positions.md).
#include <algorithm>

#include "fs/core.h"
#include "fs/escape.h"
#include "fs/files.h"
#include "fs/ops/attributes.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kMostEntries = 4096;

Result<std::vector<DirectoryEntry>> ReadEntries(meta::Reader& reader,
                                                const ReadDirectoryRequest& request) {
  meta::KeyRange range = RangeOf(RowKind::kPosition, request.directory);
  if (request.after != 0) range.begin = PositionKey(request.directory, request.after + 1);
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, kMostEntries);
  AMPHORA_ASSIGN(const auto rows, reader.Scan(Table::kRows, range, {.limit = limit}));
  std::vector<DirectoryEntry> entries;
  entries.reserve(rows.size());
  for (const meta::Row& row : rows) {
    AMPHORA_ASSIGN(const PositionRecord record, DecodePosition(row.value));
    DirectoryEntry entry;
    AMPHORA_ASSIGN(entry.position, DecodePositionOf(row.key));
    entry.name = ToVisibleName(record.name, record.kind == FileKind::kDirectory, record.shadowed);
    entry.inode = record.inode;
    entry.kind = record.kind;
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

Result<std::vector<DirectoryEntry>> Files::ReadDirectory(const ReadDirectoryRequest& request) {
  if (!request.with_attributes) return ReadEntries(core_.store->Newest(), request);
  const std::unique_ptr<meta::Reader> snapshot = core_.store->Snapshot();
  AMPHORA_ASSIGN(auto entries, ReadEntries(*snapshot, request));
  std::vector<InodeId> inodes;
  inodes.reserve(entries.size());
  for (const DirectoryEntry& entry : entries) inodes.push_back(entry.inode);
  AMPHORA_ASSIGN(auto attributes, ReadAttributesOfMany(core_, *snapshot, inodes));
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].attributes = attributes[i];
  return entries;
}

Result<InodeId> Files::ParentOf(InodeId inode) {
  if (inode == kStoreRoot) return inode;
  AMPHORA_ASSIGN(const auto record, ReadInode(core_.store->Newest(), inode));
  if (!record) return Error(ErrorCode::kStale, "inode");
  return record->parent;
}

}  // namespace amphora::fs
