// The order of a join (hazards 5.4): the new blob is durable before the transaction that drops the
// old ones. The inode is claimed for that transaction, so nobody has it open with its extents in
// mind; readers hold pins, which the collector respects.

#include "fs/data/joiner.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "fs/core.h"
#include "fs/data/blob_store.h"
#include "fs/data/collector.h"
#include "fs/data/extents.h"
#include "fs/data/live.h"
#include "fs/data/space_guard.h"
#include "fs/keys.h"
#include "meta/base/failpoint.h"
#include "meta/base/log.h"

namespace amphora::fs {
namespace {

constexpr auto kInterval = std::chrono::seconds(2);
constexpr auto kPauseAfterFailure = std::chrono::seconds(60);  // a full disk stays full for a while
constexpr std::size_t kBatch = 100;

// What is joined: as the row had it when its extents were read and pinned.
struct Pinned {
  std::uint64_t content_stamp = 0;
  std::vector<ExtentRecord> extents;
  std::vector<std::shared_ptr<void>> pins;
};

}  // namespace

struct Joiner::State {
  explicit State(Core& the_core) : core(the_core) {}

  void Run();
  Status JoinAll();
  Status JoinOne(InodeId inode);
  Result<std::optional<Pinned>> Pin(InodeId inode);
  Result<bool> Commit(InodeId inode, const Pinned& pinned, BlobId blob);

  Core& core;
  std::mutex joining;  // one run at a time; taken before anything else
  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<bool> stopping{false};
  bool kicked = true;  // guarded by mutex; true: what the last process left
  std::thread thread;
};

// nullopt: there is nothing to join any more.
Result<std::optional<Pinned>> Joiner::State::Pin(InodeId inode) {
  meta::Reader& newest = core.store->Newest();
  AMPHORA_ASSIGN(const auto before, ReadInode(newest, inode));
  if (!before || before->content != ContentKind::kExtents) return std::optional<Pinned>();
  Pinned pinned{before->content_stamp, {}, {}};
  auto extents = ReadExtents(newest, inode);
  // Pinned first, looked at again then: whoever frees the blobs later sees the pins.
  if (extents.ok()) pinned.pins = PinBlobs(core.live->keeps(), *extents);
  AMPHORA_ASSIGN(const auto after, ReadInode(newest, inode));
  const bool same = after && after->content == ContentKind::kExtents &&
                    after->content_stamp == before->content_stamp;
  if (!same) return std::optional<Pinned>();
  if (!extents.ok()) return extents.error();
  pinned.extents = std::move(*extents);
  return std::optional<Pinned>(std::move(pinned));
}

// False: the content is another by now.
Result<bool> Joiner::State::Commit(InodeId inode, const Pinned& pinned, BlobId blob) {
  const auto committed = core.Run(OriginId(), [&](Tx& tx) -> Result<bool> {
    AMPHORA_ASSIGN(auto record, tx.FindInode(inode, Lock::kExclusive));
    const bool same = record && record->links > 0 && record->content == ContentKind::kExtents &&
                      record->content_stamp == pinned.content_stamp;
    if (!same) return false;
    AMPHORA_TRY(tx.EraseExtents(inode));
    AMPHORA_TRY(tx.AddBlobReference(blob));
    record->content = ContentKind::kBlob;
    record->blob = blob;
    AMPHORA_TRY(tx.PutInode(inode, *record));
    AMPHORA_TRY(Failpoint("fs.join.before_commit"));
    return true;
  });
  if (!committed.ok()) return committed.error();
  return committed->value;
}

Status Joiner::State::JoinOne(InodeId inode) {
  // Without reflink it takes as much again for a while: that can wait until the disk has room.
  if (core.space->full()) return Ok();
  // A look only: a file that is open is not worth a copy that can't be committed.
  if (!core.live->TryClaim(inode)) return Ok();
  AMPHORA_ASSIGN(const auto pinned, Pin(inode));
  if (!pinned) return Ok();
  AMPHORA_ASSIGN(const auto blob,
                 JoinExtents(core, pinned->extents, [this] { return !stopping.load(); }));
  Status ready = Failpoint("fs.join.blob_sync");
  if (ready.ok()) ready = blob->Sync();
  Result<bool> joined = false;
  if (ready.ok()) {
    const LiveTable::Claim claim = core.live->TryClaim(inode);
    if (claim) joined = Commit(inode, *pinned, blob->id());
  }
  if (joined.ok() && *joined) {
    core.collector->Kick();
    return Ok();
  }
  (void)core.blobs->Remove(blob->id());
  return !ready.ok() ? ready : joined.ok() ? Ok() : Status(joined.error());
}

Status Joiner::State::JoinAll() {
  std::lock_guard lock(joining);
  meta::KeyRange range = RangeOf(RowKind::kJoin);
  while (!stopping.load()) {
    AMPHORA_ASSIGN(const auto rows,
                   core.store->Newest().Scan(meta::Table::kRows, range, {.limit = kBatch}));
    for (const meta::Row& row : rows) {
      AMPHORA_ASSIGN(const InodeId inode, DecodeInodeOf(row.key));
      AMPHORA_TRY(JoinOne(inode));
      if (stopping.load()) return Ok();
    }
    if (rows.size() < kBatch) return Ok();
    range.begin = rows.back().key + '\0';
  }
  return Ok();
}

void Joiner::State::Run() {
  pthread_setname_np(pthread_self(), "joiner");
  std::unique_lock lock(mutex);
  std::chrono::seconds pause = kInterval;
  while (!stopping.load()) {
    wake.wait_for(lock, pause, [this] { return stopping.load(); });
    if (stopping.load()) return;
    if (!std::exchange(kicked, false)) continue;
    lock.unlock();
    const Status joined = JoinAll();
    pause = joined.ok() ? kInterval : kPauseAfterFailure;
    if (!joined.ok() && !joined.Is(ErrorCode::kBusy)) {
      Log(LogLevel::kError, "event=join_failed error=" + joined.error().ToString());
    }
    const auto left =
        core.store->Newest().Scan(meta::Table::kRows, RangeOf(RowKind::kJoin), {.limit = 1});
    lock.lock();
    // What was open, or failed, is tried again.
    if (left.ok() && !left->empty()) kicked = true;
  }
}

Joiner::Joiner(Core& core) : state_(std::make_unique<State>(core)) {}

Joiner::~Joiner() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void Joiner::Start() {
  state_->thread = std::thread([state = state_.get()] { state->Run(); });
}

void Joiner::Kick() {
  std::lock_guard lock(state_->mutex);
  state_->kicked = true;
}

Status Joiner::RunOnce() { return state_->JoinAll(); }

}  // namespace amphora::fs
