// Counts of requests by operation and status, and how long they took: what /-/metrics shows of S3.
// Every label comes from a fixed set, so that no client can make the page grow. Thread-safe; a
// record costs two relaxed atomic additions and a search among 14 bounds.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace amphora::s3 {

// Seconds, ascending; what is slower counts in the last bucket, "+Inf".
inline constexpr std::array<double, 14> kLatencyBounds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
// The statuses that are told apart; every other counts as the last, 0.
inline constexpr std::array<unsigned, 19> kCountedStatuses = {
    200, 204, 206, 301, 304, 307, 400, 403, 404, 405, 409, 411, 412, 416, 500, 501, 503, 507, 0};

class RequestMetrics {
 public:
  // What one operation's answers were; a copy.
  struct Operation {
    std::string_view name;
    std::array<std::uint64_t, kCountedStatuses.size()> by_status{};
    std::array<std::uint64_t, kLatencyBounds.size() + 1> by_latency{};
    std::uint64_t total_ns = 0;
  };

  // Operations are those of router.h, then "None": requests that never reached one.
  RequestMetrics();

  // `operation`: its place in OperationNames(), or anything larger for none. `nanoseconds` until
  // the answer was ready to be sent.
  void Record(std::size_t operation, unsigned status, std::int64_t nanoseconds);
  std::vector<Operation> Read() const;

 private:
  struct Row {
    std::array<std::atomic<std::uint64_t>, kCountedStatuses.size()> by_status{};
    std::array<std::atomic<std::uint64_t>, kLatencyBounds.size() + 1> by_latency{};
    std::atomic<std::uint64_t> total_ns{0};
  };
  const std::size_t rows_;
  const std::unique_ptr<Row[]> row_;
};

}  // namespace amphora::s3
