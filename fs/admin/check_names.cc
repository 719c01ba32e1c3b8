// The part of check that proves names: dentries against positions, inodes, sums, volumes and
// buckets.

#include <algorithm>
#include <map>
#include <utility>

#include "fs/admin/checker.h"
#include "fs/admin/row_cursor.h"
#include "fs/core.h"

namespace amphora::fs {
namespace {

constexpr std::uint64_t kTellEvery = 10'000;

bool SameAs(const PositionRecord& position, const EntryName& name, const DentryRecord& dentry) {
  return position.name == name.raw && position.inode == dentry.inode &&
         position.kind == dentry.kind && position.shadowed == dentry.shadowed;
}

}  // namespace

void Checker::CheckEntry(InodeId directory, const Node* parent, const Entry& entry) {
  const std::string text = KeyToText(DentryKey(directory, entry.name.raw, entry.name.directory));
  Node* const node = Find(entry.record.inode);
  if (node == nullptr) {
    Report("dangling-name", text + " leads to inode " + std::to_string(entry.record.inode.value()),
           "remove the name");
    return;
  }
  ++node->names;
  if (node->kind != entry.record.kind ||
      (node->kind == FileKind::kDirectory) != entry.name.directory) {
    Report("wrong-kind", text + " leads to " + Text(entry.record.inode),
           "write the name as its inode says");
  }
  if (entry.name.raw.find('/') != std::string::npos) {
    Report("bad-name", text, "rename it");
  }
  if (node->kind == FileKind::kDirectory &&
      (node->parent != directory || node->name != entry.name.raw)) {
    Report("wrong-parent", text + " leads to " + Text(entry.record.inode),
           "write parent and name into the inode's row");
  }
  if (parent == nullptr) return;
  // Above buckets there is none; a bucket's root is its own.
  const bool bucket_root = node->bucket.value() == entry.record.inode.value();
  if (node->bucket != parent->bucket && !(bucket_root && !parent->bucket.valid())) {
    Report("wrong-bucket", text + " leads to " + Text(entry.record.inode),
           "set the bucket of the directory it is in");
  }
}

// `positions` stands at the first position row of `directory` or of a later one.
Status Checker::CheckDirectory(InodeId directory, const std::vector<Entry>& entries,
                               RowCursor& positions) {
  Node* const parent = Find(directory);
  if (parent == nullptr || parent->kind != FileKind::kDirectory) {
    Report("names-without-directory",
           std::to_string(entries.size()) + " names in " + Text(directory),
           "move the names to a lost+found directory");
  }
  std::map<std::uint64_t, const Entry*> by_position;
  std::unordered_set<std::string_view> directories;
  for (const Entry& entry : entries) {
    if (entry.name.directory) directories.insert(entry.name.raw);
    if (!by_position.emplace(entry.record.position, &entry).second) {
      Report("shared-position", "two names in " + Text(directory), "give one a new position");
    }
  }
  for (const Entry& entry : entries) {
    CheckEntry(directory, parent, entry);
    if (parent != nullptr) {
      ++parent->entries;
      if (entry.name.directory) ++parent->subdirectories;
    }
    const bool hidden = !entry.name.directory && directories.contains(entry.name.raw);
    if (entry.record.shadowed != hidden) {
      Report("wrong-shadowed-flag",
             KeyToText(DentryKey(directory, entry.name.raw, entry.name.directory)),
             "set it by whether the directory of the name is there");
    }
  }
  for (;;) {
    AMPHORA_ASSIGN(const meta::Row* const row, positions.Peek());
    if (row == nullptr) break;
    AMPHORA_ASSIGN(const InodeId owner, DecodeInodeOf(row->key));
    if (owner > directory) break;
    AMPHORA_ASSIGN(const std::uint64_t at, DecodePositionOf(row->key));
    const auto found = owner == directory ? by_position.find(at) : by_position.end();
    const auto record = DecodePosition(row->value);
    if (found == by_position.end()) {
      Report("stray-position", KeyToText(row->key), "remove the row");
    } else {
      if (!record.ok() || !SameAs(*record, found->second->name, found->second->record)) {
        Report("wrong-position", KeyToText(row->key), "write the row as the name says");
      }
      by_position.erase(found);
    }
    positions.Pop();
  }
  for (const auto& [at, entry] : by_position) {
    Report("missing-position",
           KeyToText(DentryKey(directory, entry->name.raw, entry->name.directory)),
           "write the position's row");
  }
  return Ok();
}

Status Checker::CheckNames() {
  RowCursor names(*snapshot_, Table::kRows, RangeOf(RowKind::kDentry));
  RowCursor positions(*snapshot_, Table::kRows, RangeOf(RowKind::kPosition));
  InodeId directory;
  std::vector<Entry> entries;
  for (;;) {
    AMPHORA_ASSIGN(const meta::Row* const row, names.Peek());
    InodeId owner;
    if (row != nullptr) {
      AMPHORA_ASSIGN(owner, DecodeInodeOf(row->key));
    }
    if (owner != directory && !entries.empty()) {
      AMPHORA_TRY(CheckDirectory(directory, entries, positions));
      entries.clear();
    }
    if (row == nullptr) break;
    directory = owner;
    if (report_.dentries++ % kTellEvery == 0) Tell("names", report_.dentries - 1);
    AMPHORA_ASSIGN(EntryName name, DecodeNameOf(row->key));
    const auto record = DecodeDentry(row->value);
    if (!record.ok()) {
      Report("unreadable-row", KeyToText(row->key), "remove the name");
    } else {
      const Node* const top = Find(directory);
      if (top != nullptr && !top->bucket.valid()) {
        tops_.emplace(std::to_string(directory.value()) + "/" + name.raw, record->inode);
      }
      entries.push_back({std::move(name), *record});
    }
    names.Pop();
  }
  // What is left of the positions belongs to no name.
  return CheckDirectoryless(positions);
}

Status Checker::CheckDirectoryless(RowCursor& positions) {
  for (;;) {
    AMPHORA_ASSIGN(const meta::Row* const row, positions.Peek());
    if (row == nullptr) return Ok();
    Report("stray-position", KeyToText(row->key), "remove the row");
    positions.Pop();
  }
}

Status Checker::CheckSums() {
  return ForEachRow(
      RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kDirectoryStat)),
      [&](const meta::Row& row) -> Status {
        AMPHORA_ASSIGN(const InodeId inode, DecodeInodeOf(row.key));
        Node* const node = Find(inode);
        if (node == nullptr || node->kind != FileKind::kDirectory) {
          Report("stray-directory-sums", KeyToText(row.key), "remove the row");
          return Ok();
        }
        node->sums_row = true;
        AMPHORA_ASSIGN(const meta::MergeValue sums, meta::DecodeMergeValue(row.value));
        if (sums.sums[kEntries] != static_cast<std::int64_t>(node->entries) ||
            sums.sums[kSubdirectories] != static_cast<std::int64_t>(node->subdirectories)) {
          Report("wrong-directory-sums",
                 Text(inode) + " says " + std::to_string(sums.sums[kEntries]) + " entries and " +
                     std::to_string(sums.sums[kSubdirectories]) + " directories, has " +
                     std::to_string(node->entries) + " and " + std::to_string(node->subdirectories),
                 "merge the difference");
        }
        return Ok();
      });
}

// Every directory leads up to the store's root by its parents; then every name is reached.
void Checker::CheckReachable() {
  if (Node* const root = Find(kStoreRoot)) {
    root->reached = true;
  } else {
    Report("missing-root", "the store's root directory", "make it");
  }
  std::vector<InodeId> way;
  for (auto& [inode, node] : nodes_) {
    if (node.kind != FileKind::kDirectory || node.links == 0 || node.reached) continue;
    way.clear();
    InodeId at = inode;
    Node* current = &node;
    // A way that is longer than there are inodes goes in a ring.
    while (current != nullptr && !current->reached && way.size() <= nodes_.size()) {
      way.push_back(at);
      at = current->parent;
      current = Find(at);
    }
    if (current == nullptr || !current->reached) {
      Report("unreachable-directory", Text(inode) + " does not lead up to the root",
             "move it to a lost+found directory");
      continue;
    }
    for (const InodeId step : way) Find(step)->reached = true;
  }
}

// A link's row by name against the bucket that it shows and the bucket's row of it.
Status Checker::CheckLink(const meta::Row& row, const BucketRecord& link) {
  const Node* const node = Find(InodeId(link.id.value()));
  if (node != nullptr && node->kind != FileKind::kSymlink) {
    Report("wrong-link", KeyToText(row.key) + " is " + Text(InodeId(link.id.value())),
           "remove the row");
  }
  const Node* const target = Find(InodeId(link.target.value()));
  if (target == nullptr || target->links == 0 || target->bucket != link.target ||
      target->name != link.target_path.name) {
    Report("dangling-link",
           KeyToText(row.key) + " shows bucket /" + link.target_path.volume + "/" +
               link.target_path.name + ", which is not there",
           "delete the link");
  }
  AMPHORA_ASSIGN(const auto known,
                 snapshot_->Get(Table::kRows, LinkToKey(link.target, InodeId(link.id.value()))));
  if (!known) {
    Report("unknown-link", KeyToText(row.key) + ": the bucket does not know of it",
           "write the bucket's row of the link");
  }
  return Ok();
}

// The buckets' rows of links against the links.
Status Checker::CheckLinkRows() {
  return ForEachRow(
      RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kLinkTo)),
      [&](const meta::Row& row) -> Status {
        AMPHORA_ASSIGN(const InodeId bucket, DecodeInodeOf(row.key));
        AMPHORA_ASSIGN(const InodeId link, DecodeLinkOf(row.key));
        AMPHORA_ASSIGN(const auto record, ReadInode(*snapshot_, link));
        std::optional<BucketRecord> named;
        if (record) {
          AMPHORA_ASSIGN(const auto bytes,
                         snapshot_->Get(Table::kRows,
                                        BucketKey(VolumeId(record->parent.value()), record->name)));
          if (bytes) {
            AMPHORA_ASSIGN(named, DecodeBucket(*bytes));
          }
        }
        if (!named || named->id.value() != link.value() ||
            named->target.value() != bucket.value()) {
          Report("stray-link-row", KeyToText(row.key) + ": no such link", "remove the row");
        }
        return Ok();
      });
}

// Volume and bucket rows against the names in the tree; what is left in tops_ has no row.
Status Checker::CheckVolumes() {
  const auto take = [this](const meta::Row& row, InodeId parent, std::uint64_t id) {
    const auto found =
        tops_.find(std::to_string(parent.value()) + "/" + std::string(DecodeTextOf(row.key)));
    if (found == tops_.end() || found->second.value() != id) {
      Report("wrong-volume-or-bucket", KeyToText(row.key) + " has no directory",
             "remove the row, or give the directory its name");
    }
    if (found != tops_.end()) tops_.erase(found);
  };
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kVolume)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const VolumeRecord record, DecodeVolume(row.value));
                           take(row, kStoreRoot, record.id.value());
                           return Ok();
                         }));
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kBucket)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const InodeId volume, DecodeInodeOf(row.key));
                           AMPHORA_ASSIGN(const BucketRecord record, DecodeBucket(row.value));
                           take(row, volume, record.id.value());
                           if (record.is_link()) return CheckLink(row, record);
                           const Node* const node = Find(InodeId(record.id.value()));
                           if (node != nullptr && node->bucket != record.id) {
                             Report("wrong-bucket", KeyToText(row.key),
                                    "set the bucket of its directory to itself");
                           }
                           return Ok();
                         }));
  AMPHORA_TRY(CheckLinkRows());
  for (const auto& [name, inode] : tops_) {
    Report("wrong-volume-or-bucket", "the directory " + name + " has no row", "write the row");
  }
  return Ok();
}

}  // namespace amphora::fs
