// The directory tree of the local blob store: one file per blob, its name the id in hexadecimal.
//
//   ROOT/<id / 4096, 13 digits>/<id, 16 digits>
//
// Consecutive ids share a directory, so that one fsync makes many names durable. Knows names and
// nothing of content. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fs/data/descriptor.h"
#include "fs/types.h"

namespace amphora::fs {

class BlobDirectory {
 public:
  // Creates `root` when it is missing.
  static Result<std::unique_ptr<BlobDirectory>> Open(const std::string& root);

  // Creates `count` empty files with ids from `first` on and makes their names durable. Failpoint
  // "fs.blob.name_sync" stands before the fsync of the directory.
  Result<std::vector<std::pair<BlobId, Descriptor>>> Create(BlobId first, std::uint64_t count);
  // Flags as of open(2). An invalid descriptor when there is no such file.
  Result<Descriptor> OpenFile(BlobId blob, int flags) const;
  // A missing file is no error.
  Status Unlink(BlobId blob) const;
  Status ForEach(BlobId begin, BlobId end, const std::function<Status(BlobId)>& visit) const;
  // Each of two files gets the other's name, in one step. Not durable before SyncNames of both.
  Status Exchange(BlobId one, BlobId other) const;
  // fsync of the directories that hold them; the failpoint as above.
  Status SyncNames(BlobId one, BlobId other) const;
  // Whether Exchange works here: tried once with two scratch files.
  bool ProbeExchange() const;
  // Whether files here can share extents: tried once with a scratch file.
  bool ProbeReflink() const;
  // Whether the file system answers leases: likewise.
  bool ProbeLease() const;
  // syncfs(2).
  Status SyncFileSystem() const;

 private:
  explicit BlobDirectory(Descriptor root) : root_(std::move(root)) {}
  Status EnsureGroup(std::uint64_t group);

  Descriptor root_;
  std::mutex mutex_;
  std::unordered_set<std::uint64_t> durable_groups_;  // guarded by mutex_
};

}  // namespace amphora::fs
