#include "meta/tombstone_sweeper.h"

#include <pthread.h>

#include <algorithm>

#include "meta/base/log.h"

namespace amphora::meta {
namespace {

// More ranges than that wait for nothing: the next scan asks again.
constexpr std::size_t kMostRanges = 16;

bool Same(const KeyRange& a, const KeyRange& b) { return a.begin == b.begin && a.end == b.end; }

}  // namespace

TombstoneSweeper::TombstoneSweeper(std::function<Status(Table, const KeyRange&)> compact)
    : compact_(std::move(compact)) {}

TombstoneSweeper::~TombstoneSweeper() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TombstoneSweeper::Enqueue(Table table, const KeyRange& range) {
  std::lock_guard lock(mutex_);
  if (stopping_ || ranges_.size() >= kMostRanges) return;
  const bool queued = std::ranges::any_of(ranges_, [&](const auto& other) {
    return other.first == table && Same(other.second, range);
  });
  if (queued) return;
  ranges_.emplace_back(table, range);
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  wake_.notify_all();
}

void TombstoneSweeper::Run() {
  pthread_setname_np(pthread_self(), "sweeper");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !ranges_.empty(); });
    if (stopping_) return;
    // It stays in the queue meanwhile, so that scans that are on their way do not ask again.
    const auto [table, range] = ranges_.front();
    lock.unlock();
    const Status swept = compact_(table, range);
    lock.lock();
    if (!swept.ok() && !stopping_) {
      std::string line = "event=sweep_failed";
      AppendField(line, "error", swept.error().ToString());
      Log(LogLevel::kWarning, line);
    }
    ranges_.pop_front();
  }
}

}  // namespace amphora::meta
