#include "s3/task.h"

#include <functional>

namespace amphora::s3 {
namespace {

// The meeting of the engine's callback and the waiting coroutine: whoever comes second resumes it.
struct Rendezvous {
  std::atomic<bool> first_came{false};
  Status status = Ok();
  std::function<void()> resume;
};

}  // namespace

Task<Status> Settle(fs::Engine& engine, fs::Ticket ticket) {
  auto meeting = std::make_shared<Rendezvous>();
  engine.WhenSettled(ticket, [meeting](Status status) {
    meeting->status = status;
    if (meeting->first_came.exchange(true, std::memory_order_acq_rel)) meeting->resume();
  });
  // Already durable: the callback ran here and now.
  if (meeting->first_came.load(std::memory_order_acquire)) co_return meeting->status;
  const Executor executor = co_await asio::this_coro::executor;
  auto initiate = [meeting, executor](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    meeting->resume = [shared, executor] {
      asio::post(executor, [shared] { std::move (*shared)(); });
    };
    if (meeting->first_came.exchange(true, std::memory_order_acq_rel)) meeting->resume();
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(initiate, kUseTask);
  meeting->resume = nullptr;
  co_return meeting->status;
}

}  // namespace amphora::s3
