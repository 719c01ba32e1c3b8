// One network thread: its io_context, its connections, and the watchdog that cuts those whose
// deadline has passed. Everything but Post and the executor belongs to the thread itself.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <thread>

#include "s3/task.h"

namespace amphora::s3 {

// A connection as its worker sees it. A deadline is a plain number that a sweep compares: a timer
// per step would cost more than the step.
class Connection {
 public:
  virtual ~Connection() = default;
  // Shuts the socket down; whatever the coroutine waits for there ends at once.
  virtual void Cut() = 0;

  void SetDeadline(std::uint32_t milliseconds_from_now);
  void ClearDeadline() { deadline_ = 0; }
  std::int64_t deadline() const { return deadline_; }  // MonotonicNow() nanoseconds, 0: none
  bool idle() const { return idle_; }                  // waits for a request's first byte
  void set_idle(bool idle) { idle_ = idle; }

 private:
  std::int64_t deadline_ = 0;
  bool idle_ = false;
};

class Worker {
 public:
  explicit Worker(std::chrono::milliseconds sweep_interval);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void Start();
  // Ends the loop and joins the thread. No connection may be left.
  void Stop();

  Executor executor() { return io_.get_executor(); }
  asio::io_context& io() { return io_; }

  // On the worker's thread:
  std::list<Connection*>::iterator Add(Connection* connection);
  void Remove(std::list<Connection*>::iterator position) { connections_.erase(position); }
  void CutAll(bool idle_only);

 private:
  void Sweep();

  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, Executor>
      timer_;
  const std::chrono::milliseconds sweep_interval_;
  std::list<Connection*> connections_;
  std::thread thread_;
};

}  // namespace amphora::s3
