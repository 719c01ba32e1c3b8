// HEAD and GET. The name, the inode's row and inline content come from one snapshot; of a file that
// somebody writes at this moment, size, ETag and content come together from its live state. So an
// answer is never torn (hazards section 5).

#include "fs/ops/get_object.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "fs/bucket_states.h"
#include "fs/core.h"
#include "fs/data/extents.h"
#include "fs/data/live.h"
#include "fs/ops/describe.h"
#include "fs/ops/posix_metadata.h"
#include "fs/ops/resolve_key.h"
#include "meta/base/failpoint.h"

namespace amphora::fs {
namespace {

// A key that is replaced between the look at its name and the look at its content is looked up
// again.
constexpr int kMostLooks = 100;

class ContentReader final : public ObjectReader {
 public:
  ContentReader(Core& core, ObjectInfo info, ContentView view)
      : core_(core), info_(std::move(info)), view_(std::move(view)) {
    if (!view_.may_change || !view_.blob) return;
    if (const auto figures = view_.blob->Figures(); figures.ok()) at_open_ = *figures;
  }

  const ObjectInfo& info() const override { return info_; }

  Result<std::size_t> Read(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= info_.size) return std::size_t{0};
    const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), info_.size - offset);
    const std::span<std::byte> target = buffer.first(wanted);
    if (!view_.extents.empty()) return ReadFromExtents(core_, view_.extents, offset, target);
    if (!view_.blob) return ReadInline(offset, target);
    AMPHORA_ASSIGN(const std::size_t got, view_.blob->Read(offset, target));
    if (view_.may_change) AMPHORA_TRY(CheckUnchanged());
    // The row's size may reach beyond the blob's end (a truncate that extended the file): zeros.
    std::memset(target.data() + got, 0, wanted - got);
    return wanted;
  }

  bool in_files() const override {
    return (view_.blob || !view_.extents.empty()) && !view_.may_change && !view_.buffered;
  }

  bool files_are_open() const override { return view_.extents.empty(); }

  Result<FilePiece> PieceAt(std::uint64_t offset) override {
    if (view_.blob && offset < info_.size) {
      return FilePiece{view_.blob, view_.blob->descriptor(), offset, info_.size - offset};
    }
    for (const ExtentRecord& extent : view_.extents) {
      if (offset < extent.length) {
        AMPHORA_ASSIGN(auto blob, core_.blobs->Open(extent.blob));
        const int file = blob->descriptor();
        return FilePiece{std::move(blob), file, extent.blob_offset + offset,
                         extent.length - offset};
      }
      offset -= extent.length;
    }
    return Error(ErrorCode::kOutOfRange, "beyond the object's end");
  }

 private:
  Result<std::size_t> ReadInline(std::uint64_t offset, std::span<std::byte> target) const {
    std::memset(target.data(), 0, target.size());
    if (offset < view_.inline_bytes.size()) {
      const std::size_t count = std::min(target.size(), view_.inline_bytes.size() - offset);
      std::memcpy(target.data(), view_.inline_bytes.data() + offset, count);
    }
    return target.size();
  }

  Status CheckUnchanged() const {
    AMPHORA_ASSIGN(const BlobFigures now, view_.blob->Figures());
    const bool same = at_open_ && now.size == at_open_->size &&
                      now.modified == at_open_->modified && now.changed == at_open_->changed;
    if (!same) return Error(ErrorCode::kStale, "the file changed while it was read");
    return Ok();
  }

  Core& core_;
  const ObjectInfo info_;
  const ContentView view_;
  std::optional<BlobFigures> at_open_;
};

// One look at what a key names. kNotFound: the inode went meanwhile, look the key up again.
Result<ContentView> ViewOf(Core& core, meta::Reader& snapshot, FoundObject& found) {
  ContentView view;
  if (found.record.kind != FileKind::kRegular) return view;
  const auto live = core.live->View(found.inode);
  const bool in_blobs =
      found.record.content == ContentKind::kBlob || found.record.content == ContentKind::kExtents;
  if ((live && live->dirty) || in_blobs) {
    return core.live->OpenContent(found.inode, found.record);
  }
  view.size = found.record.size;
  if (found.record.content == ContentKind::kInline) {
    AMPHORA_ASSIGN(auto bytes, snapshot.Get(Table::kContent, ContentKey(found.inode)));
    if (!bytes) return Error(ErrorCode::kCorrupt, "inline content is missing");
    view.inline_bytes = std::move(*bytes);
  }
  return view;
}

bool AnyMatches(const std::vector<std::string>& tags, const std::string& etag) {
  return std::ranges::any_of(tags,
                             [&](const std::string& tag) { return tag == "*" || tag == etag; });
}

std::int64_t WholeSeconds(Time time) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t seconds = time.nanoseconds() / kSecond;
  return time.nanoseconds() % kSecond < 0 ? seconds - 1 : seconds;
}

void ShowPosix(Core& core, BucketId bucket, ObjectInfo& info) {
  AddPosixMetadata(core.bucket_states->Find(bucket)->settings().posix_metadata, info);
}

}  // namespace

Status CheckReadConditions(const Conditions& conditions, const ObjectInfo& info) {
  const std::int64_t modified = WholeSeconds(info.last_modified);
  if (!conditions.if_match.empty()) {
    if (!AnyMatches(conditions.if_match, info.etag)) return Error(ErrorCode::kPreconditionFailed);
  } else if (conditions.if_unmodified_since &&
             modified > WholeSeconds(*conditions.if_unmodified_since)) {
    return Error(ErrorCode::kPreconditionFailed);
  }
  if (!conditions.if_none_match.empty()) {
    if (AnyMatches(conditions.if_none_match, info.etag)) return Error(ErrorCode::kNotModified);
  } else if (conditions.if_modified_since &&
             modified <= WholeSeconds(*conditions.if_modified_since)) {
    return Error(ErrorCode::kNotModified);
  }
  return Ok();
}

Result<ObjectInfo> HeadObject(Core& core, BucketId bucket, std::string_view key) {
  const auto snapshot = core.store->Snapshot();
  AMPHORA_ASSIGN(const auto found, FindObject(*snapshot, bucket, SplitKey(key)));
  if (!found) return Error(ErrorCode::kNotFound);
  ObjectInfo info = DescribeObject(std::string(key), found->inode, found->record, Detail::kFull);
  if (found->record.kind == FileKind::kRegular) core.live->Overlay(info);
  ShowPosix(core, bucket, info);
  return info;
}

Result<std::unique_ptr<ObjectReader>> OpenObject(Core& core, BucketId bucket,
                                                 std::string_view key) {
  for (int look = 1; look <= kMostLooks; ++look) {
    const auto snapshot = core.store->Snapshot();
    AMPHORA_ASSIGN(auto found, FindObject(*snapshot, bucket, SplitKey(key)));
    if (!found) return Error(ErrorCode::kNotFound);
    AMPHORA_TRY(Failpoint("fs.get.after_row"));
    auto view = ViewOf(core, *snapshot, *found);
    if (view.Is(ErrorCode::kNotFound)) continue;
    if (!view.ok()) return view.error();
    ObjectInfo info = DescribeObject(std::string(key), found->inode, found->record, Detail::kFull);
    info.size = view->size;
    ShowPosix(core, bucket, info);
    return std::unique_ptr<ObjectReader>(
        std::make_unique<ContentReader>(core, std::move(info), std::move(*view)));
  }
  return Error(ErrorCode::kTimedOut, "the key is replaced all the time");
}

Result<std::vector<std::string>> Objects::PartChecksums(const ObjectInfo& info) {
  std::vector<std::string> checksums;
  const bool kept =
      info.parts > 0 && info.checksum && info.checksum->type == ChecksumType::kComposite;
  if (!kept) return checksums;
  AMPHORA_ASSIGN(const auto bytes,
                 core_.store->Newest().Get(Table::kRows, PartChecksumsKey(info.inode)));
  const std::size_t each = info.checksum->value.size();
  if (!bytes || bytes->size() != each * info.parts) return checksums;
  for (std::size_t at = 0; at < bytes->size(); at += each) {
    checksums.push_back(bytes->substr(at, each));
  }
  return checksums;
}

Result<ObjectInfo> Objects::Head(BucketId bucket, std::string_view key) {
  return HeadObject(core_, bucket, key);
}

Result<std::unique_ptr<ObjectReader>> Objects::Open(BucketId bucket, std::string_view key) {
  return OpenObject(core_, bucket, key);
}

}  // namespace amphora::fs
