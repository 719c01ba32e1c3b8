#include "s3/worker.h"

#include <pthread.h>

#include <boost/asio/post.hpp>

#include "meta/base/clock.h"

namespace amphora::s3 {

void Connection::SetDeadline(std::uint32_t milliseconds_from_now) {
  deadline_ = MonotonicNow() + std::int64_t{milliseconds_from_now} * 1'000'000;
}

Worker::Worker(std::chrono::milliseconds sweep_interval)
    : work_(io_.get_executor()), timer_(io_.get_executor()), sweep_interval_(sweep_interval) {}

Worker::~Worker() { Stop(); }

void Worker::Start() {
  Sweep();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "s3-net");
    io_.run();
  });
}

void Worker::Stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

std::list<Connection*>::iterator Worker::Add(Connection* connection) {
  return connections_.insert(connections_.end(), connection);
}

void Worker::CutAll(bool idle_only) {
  for (Connection* connection : connections_) {
    if (!idle_only || connection->idle()) connection->Cut();
  }
}

void Worker::Sweep() {
  const std::int64_t now = MonotonicNow();
  for (Connection* connection : connections_) {
    if (connection->deadline() == 0 || connection->deadline() > now) continue;
    connection->ClearDeadline();
    connection->Cut();
  }
  timer_.expires_after(sweep_interval_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Sweep();
  });
}

}  // namespace amphora::s3
