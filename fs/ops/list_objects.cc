// LIST: one page of keys and common prefixes in byte order, from one snapshot. A common prefix is
// one step of the walk: what lies below it is never read. The inodes of a page are read by one
// MultiGet.

#include <algorithm>
#include <utility>

#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/objects.h"
#include "fs/ops/describe.h"
#include "fs/ops/tree_walk.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kMostItems = 1000;

class Lister {
 public:
  Lister(Core& core, const ListRequest& request)
      : core_(core), request_(request), limit_(std::min(request.limit, kMostItems)) {}

  Result<ListPage> Run();

 private:
  std::optional<std::string> Begin() const;
  std::optional<std::string> CommonPrefix(const std::string& key) const;
  Status Collect(TreeWalk& walk);
  bool Full();
  Status Describe(meta::Reader& reader);

  Core& core_;
  const ListRequest& request_;
  const std::size_t limit_;
  ListPage page_;
  std::vector<TreeWalk::Step> keys_;
};

// The part of `key` up to the first delimiter behind the prefix.
std::optional<std::string> Lister::CommonPrefix(const std::string& key) const {
  if (request_.delimiter.empty()) return std::nullopt;
  const std::size_t at = key.find(request_.delimiter, request_.prefix.size());
  if (at == std::string::npos) return std::nullopt;
  return key.substr(0, at + request_.delimiter.size());
}

// The first key that may be on this page; nothing when there can be none.
std::optional<std::string> Lister::Begin() const {
  const std::string& after = request_.start_after;
  if (after.empty() || after < request_.prefix) return request_.prefix;
  if (!after.starts_with(request_.prefix)) return std::nullopt;  // behind all keys with the prefix
  const auto common = CommonPrefix(after);
  if (!common || *common != after) return after + '\0';
  std::string next = PrefixEnd(after);
  if (next.empty()) return std::nullopt;
  return next;
}

// Whether the page has no room for one more item; then there is a next page.
bool Lister::Full() {
  if (keys_.size() + page_.common_prefixes.size() < limit_) return false;
  page_.truncated = true;
  return true;
}

Status Lister::Collect(TreeWalk& walk) {
  for (;;) {
    AMPHORA_ASSIGN(auto step, walk.Next());
    if (!step) return Ok();
    if (auto common = CommonPrefix(step->key)) {
      if (Full()) return Ok();
      page_.next = *common;
      const std::string behind = PrefixEnd(*common);
      page_.common_prefixes.push_back(std::move(*common));
      if (behind.empty()) return Ok();
      walk.SkipTo(behind);
    } else if (step->what == TreeWalk::Step::What::kSubtree) {
      walk.Enter(*step);
    } else {
      if (Full()) return Ok();
      page_.next = step->key;
      keys_.push_back(std::move(*step));
    }
  }
}

Status Lister::Describe(meta::Reader& reader) {
  std::vector<InodeId> missing;
  for (const TreeWalk::Step& key : keys_) {
    if (!key.record) missing.push_back(key.inode);
  }
  AMPHORA_ASSIGN(auto rows, ReadInodes(reader, missing));
  auto row = rows.begin();
  page_.objects.reserve(keys_.size());
  for (TreeWalk::Step& key : keys_) {
    std::optional<InodeRecord> record = key.record ? std::move(key.record) : std::move(*row++);
    if (!record) return Error(ErrorCode::kCorrupt, "a name points to no inode");
    if (record->unpublished) continue;  // the page is shorter, which S3 allows
    ObjectInfo info = DescribeObject(std::move(key.key), key.inode, *record, Detail::kListing);
    if (record->kind == FileKind::kRegular) core_.live->Overlay(info);
    page_.objects.push_back(std::move(info));
  }
  return Ok();
}

Result<ListPage> Lister::Run() {
  const auto begin = Begin();
  if (limit_ == 0 || !begin) return std::move(page_);
  const auto snapshot = core_.store->Snapshot();
  TreeWalk walk(*snapshot, request_.bucket, {*begin, PrefixEnd(request_.prefix), limit_ + 1});
  AMPHORA_TRY(Collect(walk));
  AMPHORA_TRY(Describe(*snapshot));
  if (!page_.truncated) page_.next.clear();
  return std::move(page_);
}

}  // namespace

Result<ListPage> Objects::List(const ListRequest& request) { return Lister(core_, request).Run(); }

}  // namespace amphora::fs
