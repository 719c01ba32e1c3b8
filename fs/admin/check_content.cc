// The part of check that proves content: inline rows, blobs, their references, and the usage
// counters.

#include <limits>
#include <utility>

#include "fs/admin/checker.h"
#include "fs/admin/row_cursor.h"
#include "fs/core.h"
#include "fs/data/blob_store.h"
#include "fs/data/live.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kContentRowsAPage = 100;  // of up to 64 KiB each
constexpr std::size_t kIdBytes = 8;

InodeId InodeOfContentKey(std::string_view key) {
  std::uint64_t id = 0;
  for (const char c : key) id = id << 8 | static_cast<unsigned char>(c);
  return InodeId(id);
}

}  // namespace

Status Checker::ReadContentRows() {
  std::uint64_t done = 0;
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot_, Table::kContent, {}, kContentRowsAPage),
                         [&](const meta::Row& row) -> Status {
                           Tell("content", done++);
                           const InodeId inode = InodeOfContentKey(row.key);
                           Node* const node = row.key.size() == kIdBytes ? Find(inode) : nullptr;
                           if (node == nullptr || node->content != ContentKind::kInline) {
                             Report("stray-content",
                                    std::to_string(row.value.size()) + " bytes of " + Text(inode),
                                    "remove the row");
                             return Ok();
                           }
                           node->content_row = true;
                           if (row.value.size() > node->size) {
                             Report("wrong-size",
                                    Text(inode) + " has " + std::to_string(row.value.size()) +
                                        " bytes and says " + std::to_string(node->size),
                                    "set the size to the content's");
                           }
                           return Ok();
                         }));
  for (const auto& [inode, node] : nodes_) {
    if (node.content == ContentKind::kInline && !node.content_row) {
      Report("missing-content", Text(inode), "make the file empty");
    }
  }
  return Ok();
}

Status Checker::CheckBlobFile(InodeId inode, const Node& node) {
  AMPHORA_ASSIGN(const auto figures, core_.blobs->Find(node.blob));
  const bool judged = !node.open_for_write && !core_.live->View(inode);
  if (figures && (figures->size >= node.size || !judged)) return Ok();
  // The snapshot is of a while ago: the file may have been removed or written since.
  AMPHORA_ASSIGN(const auto now, ReadInode(core_.store->Newest(), inode));
  if (!now || now->content != ContentKind::kBlob || now->blob != node.blob) return Ok();
  const std::string text = "blob " + std::to_string(node.blob.value()) + " of " + Text(inode);
  if (!figures) {
    Report("missing-blob", text, "make the file empty");
  } else if (figures->size < now->size && now->size == node.size) {
    Report("short-blob",
           text + " has " + std::to_string(figures->size) + " of " + std::to_string(node.size) +
               " bytes",
           "set the size to the blob's");
  }
  return Ok();
}

Status Checker::CheckBlobs() {
  AMPHORA_TRY(
      ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kBlob)),
                 [&](const meta::Row& row) -> Status {
                   Tell("blobs", report_.blobs++);
                   AMPHORA_ASSIGN(const BlobId blob, DecodeBlobOf(row.key));
                   AMPHORA_ASSIGN(const BlobRecord record, DecodeBlob(row.value));
                   const auto found = references_.find(blob);
                   const std::uint64_t counted = found == references_.end() ? 0 : found->second;
                   if (counted != record.references) {
                     Report("wrong-reference-count",
                            KeyToText(row.key) + " says " + std::to_string(record.references) +
                                ", " + std::to_string(counted) + " rows refer to it",
                            counted == 0 ? "remove the blob" : "set the count");
                   }
                   if (found != references_.end()) references_.erase(found);
                   return Ok();
                 }));
  for (const auto& [blob, count] : references_) {
    Report("missing-reference-row", "blob " + std::to_string(blob.value()), "write the row");
  }
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kGarbage)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const BlobId blob, DecodeBlobOf(row.key));
                           AMPHORA_ASSIGN(const auto referred,
                                          snapshot_->Get(Table::kRows, BlobKey(blob)));
                           if (referred) {
                             Report("garbage-in-use", KeyToText(row.key), "remove the row");
                           }
                           return Ok();
                         }));
  std::uint64_t done = 0;
  for (const auto& [inode, node] : nodes_) {
    if (node.content != ContentKind::kBlob) continue;
    Tell("blob files", done++);
    AMPHORA_TRY(CheckBlobFile(inode, node));
  }
  return Ok();
}

// What unfinished uploads hold: a part counts under the bucket of its upload.
Status Checker::CountParts(std::unordered_map<BucketId, Sums>& counted) {
  std::unordered_map<UploadId, BucketId> buckets;
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kUpload)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const InodeId bucket, DecodeInodeOf(row.key));
                           AMPHORA_ASSIGN(const UploadId upload, DecodeUploadOf(row.key));
                           buckets.emplace(upload, BucketId(bucket.value()));
                           return Ok();
                         }));
  return ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kPart)),
                    [&](const meta::Row& row) -> Status {
                      AMPHORA_ASSIGN(const UploadId upload, DecodeUploadOf(row.key));
                      AMPHORA_ASSIGN(const PartRecord part, DecodePart(row.value));
                      const auto found = buckets.find(upload);
                      if (found == buckets.end()) return Ok();  // reported as a stray part
                      counted[found->second].part_bytes += static_cast<std::int64_t>(part.size);
                      return Ok();
                    });
}

std::string Checker::TextOf(const Sums& sums) {
  return std::to_string(sums.files) + " files, " + std::to_string(sums.directories) +
         " directories, " + std::to_string(sums.bytes) + " bytes, " +
         std::to_string(sums.part_bytes) + " bytes of parts";
}

Status Checker::CheckUsage() {
  std::unordered_map<BucketId, Sums> counted;
  for (const auto& [inode, node] : nodes_) {
    if (node.links == 0 || !node.bucket.valid() || node.bucket.value() == inode.value()) continue;
    Sums& sums = counted[node.bucket];
    const bool directory = node.kind == FileKind::kDirectory;
    ++(directory ? sums.directories : sums.files);
    sums.bytes += static_cast<std::int64_t>(node.size);
  }
  AMPHORA_TRY(CountParts(counted));
  AMPHORA_TRY(ForEachRow(
      RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kUsage)),
      [&](const meta::Row& row) -> Status {
        AMPHORA_ASSIGN(const InodeId id, DecodeInodeOf(row.key));
        AMPHORA_ASSIGN(const meta::MergeValue usage, meta::DecodeMergeValue(row.value));
        const Node* const root = Find(id);
        if (root == nullptr || root->links == 0) {
          Report("stray-usage", KeyToText(row.key) + ": no such bucket", "remove the row");
          return Ok();
        }
        const Sums sums = std::exchange(counted[BucketId(id.value())], Sums{});
        const Sums says{usage.sums[kFiles], usage.sums[kDirectories], usage.sums[kBytes],
                        usage.sums[kPartBytes]};
        if (says != sums) {
          Report("wrong-usage",
                 KeyToText(row.key) + " says " + TextOf(says) + "; there are " + TextOf(sums),
                 "merge the difference");
        }
        return Ok();
      }));
  for (const auto& [bucket, sums] : counted) {
    if (sums == Sums{}) continue;
    Report("wrong-usage", "bucket " + std::to_string(bucket.value()) + " has no usage row",
           "write the row");
  }
  return Ok();
}

}  // namespace amphora::fs
