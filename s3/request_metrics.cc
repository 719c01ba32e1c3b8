#include "s3/request_metrics.h"

#include <algorithm>

#include "s3/router.h"

namespace amphora::s3 {
namespace {

constexpr std::string_view kNone = "None";

std::size_t StatusIndex(unsigned status) {
  const auto found = std::ranges::find(kCountedStatuses, status);
  return found == kCountedStatuses.end()
             ? kCountedStatuses.size() - 1
             : static_cast<std::size_t>(found - kCountedStatuses.begin());
}

}  // namespace

RequestMetrics::RequestMetrics()
    : rows_(OperationNames().size() + 1), row_(std::make_unique<Row[]>(rows_)) {}

void RequestMetrics::Record(std::size_t operation, unsigned status, std::int64_t nanoseconds) {
  Row& row = row_[std::min(operation, rows_ - 1)];
  const double seconds = static_cast<double>(nanoseconds) / 1e9;
  const auto bound = std::ranges::lower_bound(kLatencyBounds, seconds);
  row.by_status[StatusIndex(status)].fetch_add(1, std::memory_order_relaxed);
  row.by_latency[static_cast<std::size_t>(bound - kLatencyBounds.begin())].fetch_add(
      1, std::memory_order_relaxed);
  row.total_ns.fetch_add(static_cast<std::uint64_t>(nanoseconds), std::memory_order_relaxed);
}

std::vector<RequestMetrics::Operation> RequestMetrics::Read() const {
  std::vector<Operation> operations(rows_);
  for (std::size_t i = 0; i < rows_; ++i) {
    Operation& operation = operations[i];
    operation.name = i < OperationNames().size() ? OperationNames()[i] : kNone;
    const auto copy = [](const auto& from, auto& to) {
      for (std::size_t k = 0; k < from.size(); ++k) to[k] = from[k].load(std::memory_order_relaxed);
    };
    copy(row_[i].by_status, operation.by_status);
    copy(row_[i].by_latency, operation.by_latency);
    operation.total_ns = row_[i].total_ns.load(std::memory_order_relaxed);
  }
  return operations;
}

}  // namespace amphora::s3
