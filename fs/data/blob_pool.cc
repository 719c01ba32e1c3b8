#include "fs/data/blob_pool.h"

#include <pthread.h>

#include "meta/base/log_limit.h"

namespace amphora::fs {

BlobPool::~BlobPool() { Stop(); }

Result<std::pair<BlobId, Descriptor>> BlobPool::Take() {
  std::unique_lock lock(mutex_);
  if (stopping_) return Error(ErrorCode::kIo, "the blob store is closed");
  if (!thread_.joinable()) thread_ = std::thread([this] { Refill(); });
  if (ready_.empty()) {
    // An error that ends a refill which was asked for before this call says nothing about this one.
    const std::uint64_t enough = attempts_ + 2;
    ++waiting_;
    wanted_.notify_one();
    refilled_.wait(
        lock, [&] { return !ready_.empty() || stopping_ || (attempts_ >= enough && !last_.ok()); });
    --waiting_;
    if (stopping_) return Error(ErrorCode::kIo, "the blob store is closed");
    if (ready_.empty()) return last_.error();
  }
  std::pair<BlobId, Descriptor> taken = std::move(ready_.front());
  ready_.pop_front();
  if (ready_.size() < kLow) wanted_.notify_one();
  return taken;
}

void BlobPool::Refill() {
  pthread_setname_np(pthread_self(), "blob-pool");
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(
        lock, [this] { return stopping_ || waiting_ > 0 || (ready_.size() < kLow && last_.ok()); });
    if (stopping_) return;
    lock.unlock();
    auto first = ids_.Next(kBatch);
    auto made = first.ok() ? directory_.Create(BlobId(*first), kBatch)
                           : Result<std::vector<std::pair<BlobId, Descriptor>>>(first.error());
    if (!made.ok()) {
      LogLimited(LogLevel::kError, "event=blob_pool_refill_failed",
                 "event=blob_pool_refill_failed error=\"" + made.error().ToString() + "\"");
    }
    lock.lock();
    ++attempts_;
    last_ = made.ok() ? Ok() : Status(made.error());
    if (made.ok()) {
      for (auto& blob : *made) ready_.push_back(std::move(blob));
    }
    refilled_.notify_all();
  }
}

void BlobPool::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  refilled_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status BlobPool::Drain() {
  Stop();
  for (const auto& [blob, descriptor] : ready_) AMPHORA_TRY(directory_.Unlink(blob));
  ready_.clear();
  return Ok();
}

}  // namespace amphora::fs
