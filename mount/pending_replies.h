// The requests of one mount that somebody else answers: waits for locks. The session must outlive
// their replies. Thread-safe; its lock is a leaf.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace amphora::mount {

class PendingReplies {
 public:
  // Held from before a request is given away until it was answered, or never will be.
  class Hold {
   public:
    explicit Hold(PendingReplies& pending) : pending_(pending) {
      std::lock_guard lock(pending_.mutex_);
      ++pending_.count_;
    }
    ~Hold() {
      std::lock_guard lock(pending_.mutex_);
      if (--pending_.count_ == 0) pending_.none_.notify_all();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    PendingReplies& pending_;
  };

  void AwaitNone() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;  // guarded by mutex_
};

}  // namespace amphora::mount
