// The start-up self-test that finds out how this kernel forgets a name (hazards 3.3): it holds back
// the answer of a LOOKUP of a reserved name, invalidates that name meanwhile, answers "no such
// name, for ever", and sees whether the next use of the name asks again. A kernel that invalidates
// under the directory's lock does; a newer one, which looks the name up first, keeps the stale
// answer, unless the epoch notification (Linux 6.16) is sent as well. Thread-safe: Run on one
// thread, OnLookup on FUSE threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

#include "mount/fuse.h"

namespace amphora::mount {

// How a changed name reaches the kernel.
enum class NameInvalidation { kEntry, kEpoch, kTimeout };
std::string_view ToText(NameInvalidation mode);

class NameProbe {
 public:
  // Tries the modes from the cheapest on; kTimeout when none works. `directory` is the mount point
  // of `session`, which must be serving. Takes some 50 ms a mode.
  NameInvalidation Run(fuse_session* session, const std::string& directory);

  // True when the probe answered `request`, a LOOKUP of `name`.
  bool OnLookup(fuse_req_t request, std::string_view name) {
    return active_.load(std::memory_order_acquire) && Take(request, name);
  }

 private:
  bool Works(fuse_session* session, int directory, NameInvalidation mode);
  bool Take(fuse_req_t request, std::string_view name);

  std::atomic<bool> active_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string name_;  // guarded by mutex_, as is what follows
  unsigned lookups_ = 0;
  bool invalidated_ = false;
};

}  // namespace amphora::mount
