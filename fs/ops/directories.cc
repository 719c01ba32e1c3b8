// readdir: the order index gives every entry a position that survives its removal and is never
// reused, so that the kernel's directory cache can hand one handle's position to another
// (docs/decisions/0001-directory-positions.md).
#include <algorithm>

#include "fs/bucket_links.h"
#include "fs/core.h"
#include "fs/escape.h"
#include "fs/files.h"
#include "fs/ops/attributes.h"
#include "fs/ops/end_directory.h"

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

Status ShowLinks(meta::Reader& reader, InodeId mount_root, std::vector<DirectoryEntry>& entries) {
  for (DirectoryEntry& entry : entries) {
    if (entry.kind != FileKind::kSymlink) continue;
    AMPHORA_ASSIGN(const auto record, ReadInode(reader, entry.inode));
    if (!record || !IsBucketLink(*record)) continue;
    AMPHORA_ASSIGN(const ShownLink shown, ShowLink(reader, mount_root, entry.inode, *record));
    if (!shown.directory.valid()) continue;
    entry.inode = shown.directory;
    entry.kind = FileKind::kDirectory;
  }
  return Ok();
}

}  // namespace

Result<std::vector<DirectoryEntry>> Files::ReadDirectory(const ReadDirectoryRequest& request) {
  // Only in a mount of one volume: its root may hold links that show a bucket's directory.
  const bool volume_root =
      request.mount_root != kStoreRoot && request.directory == request.mount_root;
  if (!request.with_attributes && !volume_root) {
    return ReadEntries(core_.store->Newest(), request);
  }
  const std::unique_ptr<meta::Reader> snapshot = core_.store->Snapshot();
  AMPHORA_ASSIGN(auto entries, ReadEntries(*snapshot, request));
  if (volume_root) AMPHORA_TRY(ShowLinks(*snapshot, request.mount_root, entries));
  if (!request.with_attributes) return entries;
  std::vector<InodeId> inodes;
  inodes.reserve(entries.size());
  for (const DirectoryEntry& entry : entries) inodes.push_back(entry.inode);
  AMPHORA_ASSIGN(auto attributes, ReadAttributesOfMany(core_, *snapshot, inodes));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].attributes = attributes[i];
    if (!volume_root || entries[i].kind != FileKind::kSymlink) continue;
    // What a link shows here is not what its row says.
    AMPHORA_ASSIGN(const auto record, ReadInode(*snapshot, entries[i].inode));
    if (!record) continue;
    AMPHORA_ASSIGN(entries[i].attributes, ReadShownAttributes(core_, *snapshot, request.mount_root,
                                                              {entries[i].inode, *record}));
  }
  return entries;
}

Result<InodeId> Files::ParentOf(InodeId inode, InodeId mount_root) {
  if (inode == mount_root) return inode;
  AMPHORA_ASSIGN(const InodeRecord record, ReadHeldInode(core_, core_.store->Newest(), inode));
  // A bucket that a link shows in a mount of the link's volume.
  if (record.bucket.value() == inode.value() && mount_root != kStoreRoot) return mount_root;
  return record.parent;
}

}  // namespace amphora::fs
