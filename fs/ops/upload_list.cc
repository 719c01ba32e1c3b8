// ListParts and ListMultipartUploads. Both cost what they return: a common prefix of uploads is
// skipped, not read through.

#include <algorithm>
#include <utility>

#include "fs/core.h"
#include "fs/ops/upload_rows.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kMostItems = 1000;

class UploadLister {
 public:
  UploadLister(Core& core, const ListUploadsRequest& request)
      : core_(core), request_(request), limit_(std::min(request.limit, kMostItems)) {}
  Result<UploadsPage> Run();

 private:
  std::optional<std::string> CommonPrefix(const std::string& key) const;
  Result<std::optional<meta::KeyRange>> Begin() const;
  // False: the page is full. `range` moves behind what was taken.
  Result<bool> Take(const meta::Row& row, meta::KeyRange& range);

  Core& core_;
  const ListUploadsRequest& request_;
  const std::size_t limit_;
  UploadsPage page_;
};

std::optional<std::string> UploadLister::CommonPrefix(const std::string& key) const {
  if (request_.delimiter.empty()) return std::nullopt;
  const std::size_t at = key.find(request_.delimiter, request_.prefix.size());
  if (at == std::string::npos) return std::nullopt;
  return key.substr(0, at + request_.delimiter.size());
}

// Where the page begins; nothing when there can be no upload on it.
Result<std::optional<meta::KeyRange>> UploadLister::Begin() const {
  const BucketId bucket = request_.bucket;
  const std::string& marker = request_.key_marker;
  if (marker.empty() || marker < request_.prefix) {
    return std::optional(UploadsFrom(bucket, request_.prefix));
  }
  if (!marker.starts_with(request_.prefix)) return std::optional<meta::KeyRange>();
  if (const auto common = CommonPrefix(marker); common && *common == marker) {
    const std::string behind = PrefixEnd(marker);
    if (behind.empty()) return std::optional<meta::KeyRange>();
    return std::optional(UploadsFrom(bucket, behind));
  }
  if (request_.upload_id_marker.empty()) return std::optional(UploadsAfter(bucket, marker));
  const auto upload = ParseUploadId(request_.upload_id_marker);
  if (!upload) return Error(ErrorCode::kInvalidArgument, "upload-id-marker");
  return std::optional(UploadsAfter(bucket, marker, *upload));
}

Result<bool> UploadLister::Take(const meta::Row& row, meta::KeyRange& range) {
  AMPHORA_ASSIGN(std::string key, DecodeUploadedKeyOf(row.key));
  if (!key.starts_with(request_.prefix)) {
    range.begin = range.end;
    return true;
  }
  if (page_.uploads.size() + page_.common_prefixes.size() == limit_) {
    page_.truncated = true;
    return false;
  }
  page_.next_id.clear();
  if (auto common = CommonPrefix(key)) {
    const std::string behind = PrefixEnd(*common);
    range.begin = behind.empty() ? range.end : UploadsFrom(request_.bucket, behind).begin;
    page_.next_key = *common;
    page_.common_prefixes.push_back(std::move(*common));
    return true;
  }
  AMPHORA_ASSIGN(const UploadId upload, DecodeUploadOf(row.key));
  AMPHORA_ASSIGN(const UploadRecord record, DecodeUpload(row.value));
  range.begin = row.key + '\0';
  page_.next_key = key;
  page_.next_id = UploadIdText(upload, record);
  page_.uploads.push_back(DescribeUpload(std::move(key), upload, record));
  return true;
}

Result<UploadsPage> UploadLister::Run() {
  constexpr std::size_t kRowsAScan = 100;
  AMPHORA_ASSIGN(auto range, Begin());
  if (!range || limit_ == 0) return std::move(page_);
  const auto snapshot = core_.store->Snapshot();
  while (range->begin < range->end) {
    AMPHORA_ASSIGN(const auto rows, snapshot->Scan(Table::kRows, *range, {.limit = kRowsAScan}));
    for (const meta::Row& row : rows) {
      if (row.key < range->begin) continue;  // inside a common prefix that was taken
      AMPHORA_ASSIGN(const bool room, Take(row, *range));
      if (!room) return std::move(page_);
    }
    if (rows.size() < kRowsAScan) break;
  }
  page_.next_key.clear();
  page_.next_id.clear();
  return std::move(page_);
}

}  // namespace

Result<PartsPage> Uploads::ListParts(const ListPartsRequest& request) {
  const auto snapshot = core_.store->Snapshot();
  AMPHORA_ASSIGN(const FoundUpload found, FindUpload(*snapshot, request.upload));
  PartsPage page;
  page.upload = DescribeUpload(request.upload.key, found.id, found.record);
  const std::size_t limit = std::min(request.limit, kMostItems);
  if (limit == 0 || request.after >= kMaxParts) return page;
  AMPHORA_ASSIGN(const auto parts, ReadParts(*snapshot, found.id, request.after, limit + 1));
  page.truncated = parts.size() > limit;
  for (std::size_t i = 0; i < std::min(limit, parts.size()); ++i) {
    page.parts.push_back(DescribePart(parts[i].number, parts[i].record));
  }
  if (!page.parts.empty()) page.next = page.parts.back().number;
  return page;
}

Result<UploadsPage> Uploads::ListUploads(const ListUploadsRequest& request) {
  return UploadLister(core_, request).Run();
}

}  // namespace amphora::fs
