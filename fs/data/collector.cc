#include "fs/data/collector.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "fs/core.h"
#include "fs/data/blob_pins.h"
#include "fs/data/blob_store.h"
#include "fs/data/live.h"
#include "fs/keys.h"
#include "fs/ops/upload_finished.h"
#include "meta/base/failpoint.h"
#include "meta/base/log.h"
#include "meta/base/log_limit.h"
#include "meta/base/metrics.h"

namespace amphora::fs {
namespace {

constexpr auto kInterval = std::chrono::seconds(1);
constexpr std::int64_t kSettleAfterNs = 1'000'000'000;
constexpr std::size_t kBatch = 1000;
constexpr int kSweepEvery = 60;  // intervals

void LogFailure(std::string_view event, const Status& status) {
  if (status.ok()) return;
  std::string line;
  AppendField(line, "event", event);
  AppendField(line, "error", status.error().ToString());
  LogLimited(LogLevel::kError, event, std::move(line));
}

}  // namespace

struct Collector::State {
  explicit State(Core& the_core) : core(the_core) {}

  void Run();
  Result<std::uint64_t> Collect(const std::function<void(std::uint64_t)>& progress);
  Result<std::uint64_t> RemoveBatch(const std::vector<meta::Row>& rows);

  Core& core;
  std::mutex collecting;  // one collection at a time; taken before anything else
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;  // guarded by mutex
  bool kicked = true;     // guarded by mutex; true: what the last run left
  std::thread thread;
};

// How many were removed: what a reader is to open yet stays in the queue.
Result<std::uint64_t> Collector::State::RemoveBatch(const std::vector<meta::Row>& rows) {
  // Everything up to now, so also the transactions that freed these blobs (hazards 5.7).
  AMPHORA_TRY(core.store->WaitDurable(core.store->LastTicket()));
  AMPHORA_TRY(Failpoint("fs.collect.before_unlink"));
  std::vector<const meta::Row*> removed;
  for (const meta::Row& row : rows) {
    AMPHORA_ASSIGN(const BlobId blob, DecodeBlobOf(row.key));
    if (core.live->keeps().IsPinned(blob)) continue;
    AMPHORA_TRY(core.blobs->Remove(blob));
    removed.push_back(&row);
  }
  Count(Counter::kBlobsCollected, removed.size());
  AMPHORA_TRY(Failpoint("fs.collect.before_erase"));
  const auto committed = meta::Transact(*core.store, [&](meta::Transaction& kv) -> Status {
    // An id is never used again, so nobody writes these rows any more.
    for (const meta::Row* row : removed) AMPHORA_TRY(kv.EraseOwned(meta::Table::kRows, row->key));
    return Ok();
  });
  if (!committed.ok()) return committed.error();
  return std::uint64_t{removed.size()};
}

Result<std::uint64_t> Collector::State::Collect(
    const std::function<void(std::uint64_t)>& progress) {
  std::lock_guard lock(collecting);
  std::uint64_t removed = 0;
  std::uint64_t seen = 0;
  meta::KeyRange range = RangeOf(RowKind::kGarbage);
  for (;;) {
    AMPHORA_ASSIGN(const auto rows,
                   core.store->Newest().Scan(meta::Table::kRows, range, {.limit = kBatch}));
    if (rows.empty()) break;
    AMPHORA_ASSIGN(const std::uint64_t here, RemoveBatch(rows));
    removed += here;
    seen += rows.size();
    range.begin = rows.back().key + '\0';
    if (progress) progress(removed);
  }
  if (removed < seen) {
    std::lock_guard wait(mutex);
    kicked = true;  // once the pins are gone
  }
  return removed;
}

void Collector::State::Run() {
  pthread_setname_np(pthread_self(), "collector");
  std::unique_lock lock(mutex);
  for (int turn = 0; !stopping; ++turn) {
    wake.wait_for(lock, kInterval, [this] { return stopping; });
    if (stopping) return;
    const bool collect = std::exchange(kicked, false);
    lock.unlock();
    LogFailure("settle_failed", core.live->SettleAll(kSettleAfterNs));
    LogFailure("maintain_failed", core.live->Maintain());
    if (turn % kSweepEvery == 0) LogFailure("sweep_failed", SweepFinished(core));
    if (collect) {
      const auto collected = Collect({});
      if (!collected.ok()) LogFailure("collect_failed", collected.error());
    }
    lock.lock();
  }
}

Collector::Collector(Core& core) : state_(std::make_unique<State>(core)) {}

Collector::~Collector() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void Collector::Start() {
  state_->thread = std::thread([state = state_.get()] { state->Run(); });
}

void Collector::Kick() {
  std::lock_guard lock(state_->mutex);
  state_->kicked = true;
}

Result<std::uint64_t> Collector::RunOnce(const std::function<void(std::uint64_t)>& progress) {
  AMPHORA_TRY(SweepFinished(state_->core));
  return state_->Collect(progress);
}

std::uint64_t Collector::queued() const {
  constexpr std::size_t kMost = 100'000;
  const auto rows = state_->core.store->Newest().Scan(meta::Table::kRows,
                                                      RangeOf(RowKind::kGarbage), {.limit = kMost});
  return rows.ok() ? rows->size() : 0;
}

}  // namespace amphora::fs
