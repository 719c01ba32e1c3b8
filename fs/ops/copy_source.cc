#include "fs/ops/copy_source.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "fs/core.h"
#include "fs/data/blob_store.h"
#include "fs/data/digests.h"
#include "fs/data/extents.h"
#include "fs/ops/describe.h"
#include "fs/ops/resolve_key.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;

}  // namespace

Result<CopySource> CopySource::Open(Core& core, BucketId bucket, const std::string& key,
                                    const Conditions& conditions) {
  const auto snapshot = core.store->Snapshot();
  AMPHORA_ASSIGN(const auto found, FindObject(*snapshot, bucket, SplitKey(key)));
  Status refused = Ok();
  ObjectInfo info;
  if (!found) {
    refused = Error(ErrorCode::kNotFound, "the source of a copy");
  } else {
    info = DescribeObject(key, found->inode, found->record, Detail::kFull);
    if (found->record.kind == FileKind::kRegular) core.live->Overlay(info);
    refused = CheckReadConditions(conditions, info);
    if (refused.Is(ErrorCode::kNotModified)) refused = Error(ErrorCode::kPreconditionFailed);
  }
  if (!refused.ok()) {
    AMPHORA_TRY(core.store->WaitDurable(core.store->LastTicket()));
    return refused.error();
  }
  SharedContent content;
  if (found->record.kind == FileKind::kRegular) {
    auto shared = core.live->ShareContent(found->inode, found->record);
    if (shared.Is(ErrorCode::kNotFound)) return Error(ErrorCode::kStale);
    if (!shared.ok()) return shared.error();
    content = std::move(*shared);
  } else {
    content.content_stamp = found->record.content_stamp;
  }
  return CopySource(core, found->inode, std::move(info), std::move(content));
}

CopySource::~CopySource() {
  if (!content_.fresh) return;
  // Start-up would find it among the unsettled ids.
  (void)core_->blobs->Remove(content_.fresh->id());
}

Result<InodeRecord> CopySource::Verify(Tx& tx) const {
  AMPHORA_ASSIGN(auto record, tx.FindInode(inode_, Lock::kShared));
  const bool there = record && record->links > 0;
  if (content_.copy && there) return std::move(*record);
  const bool same =
      there && record->content_stamp == content_.content_stamp &&
      record->content == content_.kind &&
      (content_.kind != ContentKind::kBlob || record->blob == content_.extents.front().blob);
  if (!same) return Error(ErrorCode::kStale, "the source changed");
  return std::move(*record);
}

Status CopySource::Read(std::uint64_t offset, std::span<std::byte> buffer) const {
  std::memset(buffer.data(), 0, buffer.size());
  if (content_.kind == ContentKind::kInline) {
    if (offset >= content_.inline_bytes.size()) return Ok();
    const std::size_t length = std::min(buffer.size(), content_.inline_bytes.size() - offset);
    std::memcpy(buffer.data(), content_.inline_bytes.data() + offset, length);
    return Ok();
  }
  if (content_.kind == ContentKind::kBlob) {
    AMPHORA_ASSIGN(const auto blob, core_->blobs->Open(content_.extents.front().blob));
    const auto got = blob->Read(offset, buffer);
    return got.ok() ? Ok() : Status(got.error());
  }
  const auto got = ReadFromExtents(*core_, content_.extents, offset, buffer);
  return got.ok() ? Ok() : Status(got.error());
}

Result<Digests> CopySource::Digest(std::uint64_t offset, std::uint64_t length,
                                   std::span<const DigestKind> kinds) const {
  DigestSet digests(kinds);
  std::vector<std::byte> buffer(std::min<std::uint64_t>(length, kReadBytes));
  for (std::uint64_t done = 0; done < length;) {
    const std::span<std::byte> piece =
        std::span(buffer).first(std::min<std::uint64_t>(length - done, buffer.size()));
    AMPHORA_TRY(Read(offset + done, piece));
    digests.Update(piece);
    done += piece.size();
  }
  return digests.Finish();
}

}  // namespace amphora::fs
