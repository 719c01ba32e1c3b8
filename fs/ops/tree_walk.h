// A walk over the keys of a bucket in byte order, by range scans of its directories, with no sort:
// the order of names in a directory equals the order of whole keys because a directory's name ends
// in '/'. One consistent state: all reads go to one snapshot. One thread.
//
// The walk reads what it answers: at each level a scan begins at the name that is sought and ends
// where the last wanted key could be; its length grows with what was used of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/records.h"
#include "fs/tx.h"
#include "fs/types.h"

namespace amphora::fs {

class TreeWalk {
 public:
  struct Wanted {
    std::string begin;           // the first key
    std::string end;             // the first key that isn't wanted; empty: all to the end
    std::size_t at_most = 1000;  // keys and subtrees that the caller will take
  };
  TreeWalk(meta::Reader& reader, BucketId bucket, Wanted wanted);

  struct Step {
    enum class What : std::uint8_t {
      kKey,      // a key that S3 sees
      kSubtree,  // a directory all of whose keys are wanted; `key` ends in '/' and begins all of
                 // them
    };
    What what = What::kKey;
    std::string key;
    InodeId inode;
    std::optional<InodeRecord> record;  // if the walk had to read it
  };
  // The next key or subtree, in byte order; nullopt at the end.
  Result<std::optional<Step>> Next();
  // Goes into the subtree that Next just answered. Without it, the subtree is passed over.
  void Enter(const Step& subtree);
  // Goes on at the first key that is >= `key`; `key` is greater than all that was answered.
  void SkipTo(std::string_view key);

 private:
  struct Frame {
    InodeId directory;
    std::string prefix;           // of all keys in it; empty or ends in '/'
    std::vector<meta::Row> rows;  // of the last scan; those before `used` are behind us
    std::size_t used = 0;
    meta::KeyRange range;  // what was not scanned yet
    std::size_t scan_limit = 0;
    bool scanned_all = false;
    bool own_key_due = false;  // the directory's own key may have to be answered
  };

  void Push(InodeId directory, std::string prefix, bool own_key_due);
  Status Fill(Frame& frame);
  Result<std::optional<Step>> OwnKey(Frame& frame);
  std::optional<Step> TakeRow(Frame& frame, const DentryRecord& dentry);

  meta::Reader& reader_;
  const std::string end_;
  const std::size_t most_rows_;
  std::string from_;  // keys below are behind us
  std::vector<Frame> frames_;
};

}  // namespace amphora::fs
