// The backing files that this mount's kernel reads and writes itself. One registration per inode:
// the kernel refuses a second one while the first is open (hazards 1.2), so all handles of an inode
// share it, counted. Thread-safe.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>

#include "fs/types.h"

namespace amphora::mount {

class Passthrough {
 public:
  // `device` is the session's descriptor, which must outlive the last call. `probe_directory` is
  // where the blobs are: a scratch file there is registered once, to learn whether it works at all
  // (EPERM without CAP_SYS_ADMIN, ELOOP on overlayfs).
  void Enable(int device, const std::string& probe_directory);
  // Why it is not used; before Enable, or for good.
  void Disable(std::string reason);

  bool possible() const { return possible_.load(std::memory_order_relaxed); }
  std::string reason() const;

  // The backing id of `inode`, registered from `fd` if it is the first; 0 when that failed. Each
  // success needs one Release.
  int Acquire(fs::InodeId inode, int fd);
  void Release(fs::InodeId inode);

 private:
  struct Registration {
    int id = 0;
    unsigned references = 0;
  };
  int Register(int fd);
  void Unregister(int id);
  void DisableLocked(std::string reason);

  std::atomic<bool> possible_{false};
  mutable std::mutex mutex_;  // guards what follows; held across the two ioctls, which do not wait
  int device_ = -1;
  std::string reason_ = "not asked for";
  std::unordered_map<fs::InodeId, Registration> registrations_;
};

}  // namespace amphora::mount
