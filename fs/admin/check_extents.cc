// The part of check that proves content in several blobs, and multipart uploads.

#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "fs/admin/checker.h"
#include "fs/admin/row_cursor.h"
#include "fs/core.h"
#include "fs/data/blob_store.h"

namespace amphora::fs {

// A run of bytes that a row names lies inside its blob. Blobs of extents and parts are never
// written again, so what is there can be judged at any time.
Status Checker::CheckRun(BlobId blob, std::uint64_t end, const std::string& key) {
  AMPHORA_ASSIGN(const auto figures, core_.blobs->Find(blob));
  if (figures && figures->size >= end) return Ok();
  // The snapshot is of a while ago: the row may be gone since, and its blob with it.
  AMPHORA_ASSIGN(const auto still, core_.store->Newest().Get(Table::kRows, key));
  if (!still) return Ok();
  Report(figures ? "short-blob" : "missing-blob",
         KeyToText(key) + " names blob " + std::to_string(blob.value()) + " up to byte " +
             std::to_string(end),
         "remove the file or the upload");
  return Ok();
}

Status Checker::ReadExtentRows() {
  AMPHORA_TRY(ForEachRow(
      RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kExtent)),
      [&](const meta::Row& row) -> Status {
        AMPHORA_ASSIGN(const InodeId inode, DecodeInodeOf(row.key));
        AMPHORA_ASSIGN(const std::uint64_t offset, DecodeOffsetOf(row.key));
        AMPHORA_ASSIGN(const ExtentRecord extent, DecodeExtent(row.value));
        ++references_[extent.blob];
        Node* const node = Find(inode);
        if (node == nullptr || node->content != ContentKind::kExtents) {
          Report("stray-extent", KeyToText(row.key), "remove the row and drop its reference");
          return Ok();
        }
        if (offset != node->extent_bytes || extent.length == 0) {
          Report("gap-in-extents", KeyToText(row.key) + " of " + Text(inode), "remove the file");
        }
        node->extent_bytes = offset + extent.length;
        return CheckRun(extent.blob, extent.blob_offset + extent.length, row.key);
      }));
  for (const auto& [inode, node] : nodes_) {
    const bool extents = node.content == ContentKind::kExtents;
    if (extents && node.extent_bytes != node.size) {
      Report("wrong-size",
             Text(inode) + " has extents of " + std::to_string(node.extent_bytes) +
                 " bytes and says " + std::to_string(node.size),
             "remove the file");
    }
    if (extents != node.join_row) {
      Report(extents ? "missing-join-row" : "stray-join-row", Text(inode),
             extents ? "write the row" : "remove the row");
    }
  }
  return Ok();
}

Status Checker::ReadUploadRows() {
  std::unordered_set<UploadId> uploads;
  std::unordered_map<UploadId, std::unordered_set<BlobId>> held;
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kUpload)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const InodeId bucket, DecodeInodeOf(row.key));
                           AMPHORA_ASSIGN(const UploadId upload, DecodeUploadOf(row.key));
                           AMPHORA_TRY(DecodeUpload(row.value));
                           uploads.insert(upload);
                           const Node* const root = Find(bucket);
                           if (root == nullptr || root->links == 0) {
                             Report("stray-upload", KeyToText(row.key) + ": no such bucket",
                                    "abort the upload");
                           }
                           return Ok();
                         }));
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kUploadBlob)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const UploadId upload, DecodeUploadOf(row.key));
                           AMPHORA_ASSIGN(const BlobId blob, DecodeBlobOf(row.key));
                           ++references_[blob];
                           held[upload].insert(blob);
                           if (uploads.contains(upload)) return Ok();
                           Report("stray-upload-blob", KeyToText(row.key),
                                  "remove the row and drop its reference");
                           return Ok();
                         }));
  return ForEachRow(RowCursor(*snapshot_, Table::kRows, RangeOf(RowKind::kPart)),
                    [&](const meta::Row& row) -> Status {
                      AMPHORA_ASSIGN(const UploadId upload, DecodeUploadOf(row.key));
                      AMPHORA_ASSIGN(const PartRecord part, DecodePart(row.value));
                      if (!uploads.contains(upload)) {
                        Report("stray-part", KeyToText(row.key), "remove the row");
                        return Ok();
                      }
                      if (!part.blob.valid()) return Ok();
                      if (!held[upload].contains(part.blob)) {
                        Report("part-without-blob",
                               KeyToText(row.key) + " is in a blob that its upload lacks",
                               "remove the row");
                      }
                      return CheckRun(part.blob, part.blob_offset + part.size, row.key);
                    });
}

}  // namespace amphora::fs
