// The open files of one mount: what a fuse_file_info's `fh` points to. Owned here, so that the end
// of a session releases those whose RELEASE will never come. Thread-safe.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "fs/handle.h"
#include "mount/fuse.h"

namespace amphora::mount {

struct OpenFile {
  std::shared_ptr<fs::FileHandle> handle;
  // It holds a reference to its inode's registration (passthrough.h).
  bool registered = false;
  std::list<OpenFile>::iterator self;
};

class OpenFiles {
 public:
  // The answer lives until Remove or Clear.
  OpenFile& Add(std::shared_ptr<fs::FileHandle> handle);
  void Remove(OpenFile& file);
  // Releases all. No request may be running.
  void Clear();
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::list<OpenFile> files_;
};

inline OpenFile& FileOf(const fuse_file_info* info) {
  return *reinterpret_cast<OpenFile*>(info->fh);
}

}  // namespace amphora::mount
