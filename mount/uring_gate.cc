#include "mount/uring_gate.h"

#include <dlfcn.h>
#include <liburing.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <unordered_map>

namespace amphora::mount {
namespace {

// The gates of all queues of the process. liburing hands us nothing but the ring, so the way from a
// ring to its gate has to be here.
struct Registry {
  std::mutex mutex;
  std::unordered_map<io_uring*, std::shared_ptr<UringGate>> gates;
};

Registry& TheRegistry() {
  static Registry registry;
  return registry;
}

// libfuse names the thread of queue N so (fuse_uring.c).
bool ThisThreadServesAQueue() {
  char name[16] = {};
  return pthread_getname_np(pthread_self(), name, sizeof name) == 0 &&
         std::string_view(name).starts_with("fuse-ring-");
}

// What a thread is to us; found out at its first call.
struct QueueThread {
  bool known = false;
  io_uring* ring = nullptr;  // null: not a queue's thread
  std::shared_ptr<UringGate> gate;
  bool held = false;

  ~QueueThread() { Release(); }
  void Hold() {
    if (!held) gate->Lock();
    held = true;
  }
  void Release() {
    if (held) gate->Unlock();
    held = false;
  }
};

thread_local QueueThread t_queue;
thread_local UringGate* t_reply_gate = nullptr;

void Adopt(io_uring* ring) {
  t_queue.known = true;
  if (!ThisThreadServesAQueue()) return;
  t_queue.ring = ring;
  t_queue.gate = std::make_shared<UringGate>();
  // At its end libfuse wakes the thread and also cancels it, which would unwind through a callback
  // in the middle of its work. The wake-up is enough.
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  std::lock_guard lock(TheRegistry().mutex);
  TheRegistry().gates[ring] = t_queue.gate;
}

// Publishes what was prepared since the last flush; answers how much the kernel has to take.
// (io_uring(7), "The submission queue")
unsigned FlushSubmissions(io_uring& ring) {
  io_uring_sq& queue = ring.sq;
  const unsigned mask = *queue.kring_mask;
  unsigned tail = *queue.ktail;
  for (; queue.sqe_head != queue.sqe_tail; ++queue.sqe_head, ++tail) {
    queue.array[tail & mask] = queue.sqe_head & mask;
  }
  std::atomic_ref<unsigned>(*queue.ktail).store(tail, std::memory_order_release);
  return tail - std::atomic_ref<unsigned>(*queue.khead).load(std::memory_order_acquire);
}

int SubmitAndWait(io_uring* ring, unsigned wait_for) {
  t_queue.Hold();
  const unsigned submissions = FlushSubmissions(*ring);
  t_queue.Release();
  const long result = syscall(SYS_io_uring_enter, ring->ring_fd, submissions, wait_for,
                              IORING_ENTER_GETEVENTS, nullptr, _NSIG / 8);
  const int error = errno;
  t_queue.Hold();
  return result < 0 ? -error : static_cast<int>(result);
}

template <typename Function>
Function* NextDefinition(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

std::shared_ptr<UringGate> UringGate::OfThisThread() { return t_queue.gate; }

void UringGate::BeginDeferred() {
  std::lock_guard lock(count_mutex_);
  ++deferred_;
}

void UringGate::EndDeferred() {
  std::lock_guard lock(count_mutex_);
  if (--deferred_ == 0) idle_.notify_all();
}

void UringGate::WaitForDeferred() {
  std::unique_lock lock(count_mutex_);
  idle_.wait(lock, [this] { return deferred_ == 0; });
}

bool MayDefer(fuse_req_t request) {
  if (!fuse_req_is_uring(request)) return true;
  constexpr int kFixedRelease = 319;  // as fuse_version() counts
  return t_queue.gate != nullptr || fuse_version() >= kFixedRelease;
}

ReplyThrough::ReplyThrough(UringGate* gate) { t_reply_gate = gate; }
ReplyThrough::~ReplyThrough() { t_reply_gate = nullptr; }

GateHold::GateHold() : gate_(t_reply_gate) {
  if (gate_ != nullptr) gate_->Lock();
}
GateHold::~GateHold() {
  if (gate_ != nullptr) gate_->Unlock();
}

}  // namespace amphora::mount

extern "C" {

// As in liburing(3), but for the gate.
[[gnu::visibility("default")]] int io_uring_submit_and_wait(io_uring* ring, unsigned wait_for) {
  using namespace amphora::mount;
  if (!t_queue.known) Adopt(ring);
  if (t_queue.ring == ring) return SubmitAndWait(ring, wait_for);
  static auto* const next = NextDefinition<int(io_uring*, unsigned)>("io_uring_submit_and_wait");
  return next == nullptr ? -ENOSYS : next(ring, wait_for);
}

[[gnu::visibility("default")]] void io_uring_queue_exit(io_uring* ring) {
  using namespace amphora::mount;
  std::shared_ptr<UringGate> gate;
  {
    std::lock_guard lock(TheRegistry().mutex);
    if (const auto found = TheRegistry().gates.find(ring); found != TheRegistry().gates.end()) {
      gate = std::move(found->second);
      TheRegistry().gates.erase(found);
    }
  }
  if (gate != nullptr) gate->WaitForDeferred();
  static auto* const next = NextDefinition<void(io_uring*)>("io_uring_queue_exit");
  if (next != nullptr) next(ring);
}

}  // extern "C"
