// Coroutines of the endpoint: the task type, the hop to the blocking pool and back, and the wait
// for a commit to settle. Each connection's coroutine runs on one network thread; nothing else of
// the process may touch its state.
//
// No lock and no view of a temporary may live across a co_await, and no lambda that captures may be
// a coroutine (its frame outlives it).
#pragma once

#include <atomic>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "fs/engine.h"

namespace amphora::s3 {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
template <typename T>
using Task = asio::awaitable<T, Executor>;
inline constexpr asio::use_awaitable_t<Executor> kUseTask{};
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

// Runs `work` (it may block) on the pool and resumes the caller on its own thread with the answer.
template <typename Work>
Task<std::invoke_result_t<Work&>> OnPool(asio::thread_pool& pool, Work work) {
  using Answer = std::invoke_result_t<Work&>;
  const Executor executor = co_await asio::this_coro::executor;
  // Nothing outlives the wait: `work` lives in this frame, which is suspended until the answer
  // comes.
  std::optional<Answer> answer;
  auto initiate = [&](auto handler) {
    auto run = [&work, &answer, executor, handler = std::move(handler)]() mutable {
      answer.emplace(work());
      asio::post(executor, std::move(handler));
    };
    asio::post(pool, std::move(run));
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(initiate, kUseTask);
  co_return std::move(*answer);
}

// Waits, without a thread, until `ticket` is durable and every mount has been told (hazards
// 5, 2.2).
Task<Status> Settle(fs::Engine& engine, fs::Ticket ticket);

}  // namespace amphora::s3
