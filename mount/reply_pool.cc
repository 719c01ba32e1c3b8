#include "mount/reply_pool.h"

#include <utility>

#include "mount/subject.h"

namespace amphora::mount {

void ReplyPool::Run(fuse_req_t request, Job job) {
  if (!MayDefer(request)) {
    job();
    return;
  }
  std::unique_lock lock(mutex_);
  if (stopped_) {
    lock.unlock();
    job();
    return;
  }
  const Subject& subject = SubjectOfThread();
  Deferred deferred{std::move(job), subject.node, std::nullopt, UringGate::OfThisThread()};
  if (subject.name != nullptr) deferred.name = subject.name;
  if (deferred.gate != nullptr) deferred.gate->BeginDeferred();
  jobs_.push_back(std::move(deferred));
  if (jobs_.size() > idle_ && threads_.size() < kMaxThreads) {
    threads_.emplace_back([this] { Work(); });
  }
  lock.unlock();
  work_.notify_one();
}

void ReplyPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    work_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
    --idle_;
    if (jobs_.empty()) return;
    Deferred deferred = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    {
      const ReplyThrough through(deferred.gate.get());
      const SubjectScope subject({deferred.node, deferred.name ? deferred.name->c_str() : nullptr});
      deferred.job();
      deferred.job = nullptr;  // what it held on to goes before the gate is told
    }
    if (deferred.gate != nullptr) deferred.gate->EndDeferred();
    lock.lock();
  }
}

void ReplyPool::Stop() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    threads = std::exchange(threads_, {});
  }
  work_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace amphora::mount
