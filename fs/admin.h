// What an operator asks of a running store: check, collect, dump, figures. Blocking, thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/types.h"

namespace amphora::fs {

class Core;

struct Finding {
  std::string kind;    // "orphan-inode", "missing-blob", "wrong-count", …
  std::string what;    // the record, as text
  std::string repair;  // what a repair would do
};

struct CheckReport {
  std::uint64_t dentries = 0;
  std::uint64_t inodes = 0;
  std::uint64_t blobs = 0;
  std::vector<Finding> findings;  // empty: consistent; at most 10,000 kept
  std::uint64_t findings_total = 0;
};

struct Progress {
  std::string phase;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
};
using ProgressFunction = std::function<void(const Progress&)>;

struct StoreFigures {
  std::uint32_t format = 0;
  std::string data_directory;
  std::string disk;  // file system type of the data directory
  bool reflink = false;
  std::uint64_t open_handles = 0;
  std::uint64_t live_inodes = 0;
  std::uint64_t blobs_to_collect = 0;
  Ticket newest_ticket = 0;
  bool durable = true;  // every commit answered so far is on disk
  bool poisoned = false;
  bool disk_full = false;             // what adds content is refused (fs/data/space_guard.h)
  std::uint64_t disk_free_bytes = 0;  // for content: without what is kept
  std::uint64_t disk_bytes = 0;
};

class Admin {
 public:
  explicit Admin(Core& core) : core_(core) {}

  // Proves dentries, inodes, directory rows, content, blobs, reference counts and counters
  // consistent. Reads one snapshot; correct beside running work.
  Result<CheckReport> Check(const ProgressFunction& progress);
  // Removes every blob that nothing refers to now; answers how many.
  Result<std::uint64_t> CollectGarbage(const ProgressFunction& progress);
  // One line of text per record, in key order, until `line` answers false. Secrets are masked.
  Status Dump(const std::function<bool(std::string_view)>& line);
  StoreFigures Figures();
  // "/volume/bucket/dir/name" of an inode, by the name it got last; "inode 17" when none leads to
  // it. For messages.
  std::string PathOf(InodeId inode);

 private:
  Core& core_;
};

}  // namespace amphora::fs
