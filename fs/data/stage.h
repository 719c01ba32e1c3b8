// Content on its way in: memory up to the inline limit, then a fresh blob. Dropped without being
// taken, it leaves nothing. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fs/data/blob_store.h"
#include "fs/records.h"
#include "fs/types.h"

namespace amphora::fs {

class Core;

// What an inode row needs to name content that is complete. Bytes and names of blobs are durable.
struct StagedContent {
  ContentKind kind = ContentKind::kEmpty;
  std::string inline_bytes;           // kInline
  BlobId blob;                        // kBlob
  std::vector<ExtentRecord> extents;  // kExtents, from offset 0 on
  std::uint64_t size = 0;
  // Blobs that somebody gives a reference of to the new row, once per reference; used or not.
  std::vector<BlobId> given;
};

class ContentStage {
 public:
  // `declared_size`, when known and large, goes to a blob at once.
  ContentStage(Core& core, std::optional<std::uint64_t> declared_size);
  ~ContentStage();
  ContentStage(const ContentStage&) = delete;
  ContentStage& operator=(const ContentStage&) = delete;

  Status Append(std::span<const std::byte> data);
  std::uint64_t size() const { return size_; }
  // Blocks for fdatasync of a blob (failpoint "fs.put.blob_sync"). After it, Append is refused.
  Result<StagedContent> Finish();
  // The content now belongs to a committed row: the destructor leaves the blob alone.
  void Keep();

 private:
  Status MoveToBlob();
  Status TakeBack();

  Core& core_;
  const std::optional<std::uint64_t> declared_size_;
  std::string memory_;
  std::shared_ptr<Blob> blob_;
  std::uint64_t size_ = 0;
  bool finished_ = false;
  bool kept_ = false;
};

}  // namespace amphora::fs
