// The walk. The hard part is where to begin in a directory whose keys all start with `prefix`, when
// the first wanted key is prefix + rest: at the name that `rest` begins with. If rest is "x/…", the
// directory "x/" is wanted in part and everything after it wholly; names before "x/" hold only
// smaller keys, because no name contains a '/'.

#include "fs/ops/tree_walk.h"

#include <algorithm>
#include <utility>

namespace amphora::fs {
namespace {

constexpr std::size_t kFirstScan = 8;
constexpr std::size_t kGrowth = 4;
constexpr std::size_t kMostRowsAScan = 1001;
constexpr std::size_t kNameOffset = 1 + 8;  // of a dentry's key: the kind, the directory

std::string_view NameOf(const meta::Row& row) {
  return std::string_view(row.key).substr(kNameOffset);
}

// What `key` begins with in the directory of `prefix`, including the '/' of a directory; nothing
// when `key` lies outside of it.
std::optional<std::string_view> FirstName(std::string_view prefix, std::string_view key) {
  if (!key.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = key.substr(prefix.size());
  const std::size_t slash = rest.find('/');
  return slash == std::string_view::npos ? rest : rest.substr(0, slash + 1);
}

}  // namespace

TreeWalk::TreeWalk(meta::Reader& reader, BucketId bucket, Wanted wanted)
    : reader_(reader),
      end_(std::move(wanted.end)),
      most_rows_(std::clamp<std::size_t>(wanted.at_most, 1, kMostRowsAScan)),
      from_(std::move(wanted.begin)) {
  Push(InodeId(bucket.value()), "", false);
}

void TreeWalk::Push(InodeId directory, std::string prefix, bool own_key_due) {
  Frame frame;
  frame.directory = directory;
  frame.own_key_due = own_key_due;
  frame.scan_limit = std::min(kFirstScan, most_rows_);
  frame.range = RangeOf(RowKind::kDentry, directory);
  const std::string first_row = frame.range.begin;
  if (const auto name = FirstName(prefix, from_)) frame.range.begin.append(*name);
  if (const auto name = end_.empty() ? std::nullopt : FirstName(prefix, end_)) {
    const bool in_part = end_.size() > prefix.size() + name->size();
    frame.range.end = first_row + std::string(*name);
    if (in_part) frame.range.end.push_back('\0');
  }
  frame.prefix = std::move(prefix);
  frames_.push_back(std::move(frame));
}

Status TreeWalk::Fill(Frame& frame) {
  AMPHORA_ASSIGN(frame.rows, reader_.Scan(Table::kRows, frame.range, {.limit = frame.scan_limit}));
  frame.used = 0;
  frame.scanned_all = frame.rows.size() < frame.scan_limit;
  if (!frame.rows.empty()) frame.range.begin = frame.rows.back().key + '\0';
  frame.scan_limit = std::min(frame.scan_limit * kGrowth, most_rows_);
  return Ok();
}

// The key "dir/": of the file with the empty name inside, which comes as an ordinary row; else of
// the directory itself if it is explicit.
Result<std::optional<TreeWalk::Step>> TreeWalk::OwnKey(Frame& frame) {
  frame.own_key_due = false;
  AMPHORA_TRY(Fill(frame));
  if (!frame.rows.empty() && NameOf(frame.rows.front()).empty()) return std::optional<Step>();
  AMPHORA_ASSIGN(auto record, ReadInode(reader_, frame.directory));
  if (!record) return Error(ErrorCode::kCorrupt, "a name points to no inode");
  if (record->implicit) return std::optional<Step>();
  return std::optional<Step>(
      Step{Step::What::kKey, frame.prefix, frame.directory, std::move(record)});
}

// The row at frame.used as a step; nothing when it is entered or passed over here. Frames move.
std::optional<TreeWalk::Step> TreeWalk::TakeRow(Frame& frame, const DentryRecord& dentry) {
  const std::string_view name = NameOf(frame.rows[frame.used++]);
  std::string key = frame.prefix;
  key.append(name);
  const bool behind = key < from_;
  if (name.ends_with('/')) {
    if (!behind) return Step{Step::What::kSubtree, std::move(key), dentry.inode, std::nullopt};
    if (from_.starts_with(key)) Push(dentry.inode, std::move(key), false);
    return std::nullopt;
  }
  // The empty name in the bucket's root has the empty key, which is none.
  if (behind || key.empty()) return std::nullopt;
  return Step{Step::What::kKey, std::move(key), dentry.inode, std::nullopt};
}

Result<std::optional<TreeWalk::Step>> TreeWalk::Next() {
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    if (frame.own_key_due) {
      AMPHORA_ASSIGN(auto step, OwnKey(frame));
      if (step) return step;
    }
    if (frame.used == frame.rows.size()) {
      if (frame.scanned_all) {
        frames_.pop_back();
      } else {
        AMPHORA_TRY(Fill(frame));
      }
      continue;
    }
    AMPHORA_ASSIGN(const DentryRecord dentry, DecodeDentry(frame.rows[frame.used].value));
    auto step = TakeRow(frame, dentry);
    if (!step) continue;
    if (!end_.empty() && step->key >= end_) break;
    return step;
  }
  frames_.clear();
  return std::optional<Step>();
}

void TreeWalk::Enter(const Step& subtree) { Push(subtree.inode, subtree.key, true); }

void TreeWalk::SkipTo(std::string_view key) {
  from_ = key;
  while (!frames_.empty() && !key.starts_with(frames_.back().prefix)) frames_.pop_back();
  if (frames_.empty()) return;
  Frame& frame = frames_.back();
  const std::string_view name = *FirstName(frame.prefix, key);
  if (!name.empty()) frame.own_key_due = false;
  const std::size_t used_before = frame.used;
  while (frame.used < frame.rows.size() && NameOf(frame.rows[frame.used]) < name) ++frame.used;
  if (frame.used < frame.rows.size()) return;
  // What was read ahead was of no use: begin small again.
  if (frame.used != used_before) frame.scan_limit = std::min(kFirstScan, most_rows_);
  std::string begin = RangeOf(RowKind::kDentry, frame.directory).begin;
  begin.append(name);
  frame.range.begin = std::max(frame.range.begin, begin);
}

}  // namespace amphora::fs
