// A kernel as the engine sees one: it keeps what it was told until somebody asks. Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "fs/changes.h"

namespace amphora::test {

class ChangeRecorder final : public fs::ChangeSink {
 public:
  void OnChanges(const std::vector<fs::Change>& changes) override {
    std::lock_guard lock(mutex_);
    changes_.insert(changes_.end(), changes.begin(), changes.end());
  }
  void Fence(std::function<void()> done) override { done(); }
  // What came since the last call.
  std::vector<fs::Change> Take() {
    std::lock_guard lock(mutex_);
    return std::exchange(changes_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<fs::Change> changes_;  // guarded by mutex_
};

}  // namespace amphora::test
