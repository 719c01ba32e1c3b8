// A shared mutex whose writers don't starve: while one waits, later readers queue behind it. (The
// standard one on Linux prefers readers, so that a file which is read without a pause could never
// be written.) Thread-safe; not recursive.
#pragma once

#include <mutex>
#include <shared_mutex>

namespace amphora::fs {

// Named as std::unique_lock and std::shared_lock ask for.
class FairSharedMutex {
 public:
  void lock() {
    std::lock_guard gate(gate_);
    inner_.lock();
  }
  bool try_lock() {
    const std::unique_lock gate(gate_, std::try_to_lock);
    return gate.owns_lock() && inner_.try_lock();
  }
  void unlock() { inner_.unlock(); }
  void lock_shared() {
    std::lock_guard gate(gate_);
    inner_.lock_shared();
  }
  bool try_lock_shared() {
    const std::unique_lock gate(gate_, std::try_to_lock);
    return gate.owns_lock() && inner_.try_lock_shared();
  }
  void unlock_shared() { inner_.unlock_shared(); }

 private:
  std::mutex gate_;  // held by a writer while it waits
  std::shared_mutex inner_;
};

}  // namespace amphora::fs
