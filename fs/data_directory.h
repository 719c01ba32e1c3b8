// The data directory: who owns it (a lock file), and the format it was written in (a text file that
// a person can read). A newer format is refused before anything is written.
//
//   DATA/format   "amphora-store 2\n"
//   DATA/lock     the owner's process id; held with flock(2)
//   DATA/meta/    the metadata store
//   DATA/blobs/   large content
//   DATA/reserve  space that is kept for deleting (fs/data/space_guard.h)
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "fs/types.h"

namespace amphora::fs {

class DataDirectory {
 public:
  // Creates the directory (mode 0700, with its parents) and the format file of a new store. kBusy:
  // another process holds the lock (logged with its id); kNewerFormat.
  static Result<std::unique_ptr<DataDirectory>> Open(const std::string& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  // What the store was written in when it was opened.
  std::uint32_t format() const { return format_; }
  // The store is one of kStoreFormat now, durably.
  Status MarkUpgraded();

  const std::string& path() const { return path_; }
  std::string meta_path() const { return path_ + "/meta"; }
  std::string blobs_path() const { return path_ + "/blobs"; }

 private:
  DataDirectory(std::string path, std::uint32_t format, int lock_descriptor)
      : path_(std::move(path)), format_(format), lock_descriptor_(lock_descriptor) {}
  const std::string path_;
  const std::uint32_t format_;
  const int lock_descriptor_;
};

}  // namespace amphora::fs
