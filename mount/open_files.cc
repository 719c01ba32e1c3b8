#include "mount/open_files.h"

#include <utility>

namespace amphora::mount {

OpenFile& OpenFiles::Add(std::shared_ptr<fs::FileHandle> handle) {
  std::list<OpenFile> one;
  OpenFile& file = one.emplace_back();
  file.handle = std::move(handle);
  file.self = one.begin();
  std::lock_guard lock(mutex_);
  files_.splice(files_.end(), one);
  return file;
}

void OpenFiles::Remove(OpenFile& file) {
  std::list<OpenFile> one;
  {
    std::lock_guard lock(mutex_);
    one.splice(one.end(), files_, file.self);
  }
  one.front().handle->Release();
}

void OpenFiles::Clear() {
  std::list<OpenFile> all;
  {
    std::lock_guard lock(mutex_);
    all.swap(files_);
  }
  for (OpenFile& file : all) file.handle->Release();
}

std::size_t OpenFiles::size() const {
  std::lock_guard lock(mutex_);
  return files_.size();
}

}  // namespace amphora::mount
