#include "s3/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>
#include <vector>

#include "meta/base/clock.h"
#include "meta/base/metrics.h"

namespace amphora::s3 {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;

MetricFamily Family(std::string name, std::string help, MetricType type) {
  MetricFamily family;
  family.name = "amphora_" + std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

ClientMetric Counted(std::uint64_t value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
  return metric;
}

void AddGauge(Families& families, std::string name, std::string help, double value,
              std::vector<ClientMetric::Label> labels = {}) {
  MetricFamily family = Family(std::move(name), std::move(help), MetricType::Gauge);
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
  families.push_back(std::move(family));
}

void AddCounters(Families& families) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
    const auto counter = static_cast<Counter>(i);
    families.push_back(Family(std::string(CounterName(counter)) + "_total",
                              std::string(CounterHelp(counter)), MetricType::Counter));
    families.back().metric.push_back(Counted(Value(counter)));
  }
  MetricFamily mount =
      Family("mount_operations_total", "FUSE requests by operation", MetricType::Counter);
  for (std::size_t i = 0; i < static_cast<std::size_t>(MountOperation::kCount); ++i) {
    const auto operation = static_cast<MountOperation>(i);
    mount.metric.push_back(
        Counted(Value(operation), {{"operation", std::string(MountOperationName(operation))}}));
  }
  families.push_back(std::move(mount));
}

ClientMetric Latencies(const RequestMetrics::Operation& operation) {
  ClientMetric metric;
  metric.label = {{"operation", std::string(operation.name)}};
  std::uint64_t sum = 0;
  for (std::size_t k = 0; k < operation.by_latency.size(); ++k) {
    sum += operation.by_latency[k];
    const double bound =
        k < kLatencyBounds.size() ? kLatencyBounds[k] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({.cumulative_count = sum, .upper_bound = bound});
  }
  metric.histogram.sample_count = sum;
  metric.histogram.sample_sum = static_cast<double>(operation.total_ns) / 1e9;
  return metric;
}

// Only what has happened: most operations never meet most statuses.
void AddRequests(Families& families, const RequestMetrics& metrics) {
  MetricFamily responses =
      Family("s3_responses_total", "HTTP answers by operation and status", MetricType::Counter);
  MetricFamily latency = Family("s3_response_seconds",
                                "time from a request's header to its answer being ready to be sent",
                                MetricType::Histogram);
  for (const RequestMetrics::Operation& operation : metrics.Read()) {
    bool any = false;
    for (std::size_t k = 0; k < kCountedStatuses.size(); ++k) {
      if (operation.by_status[k] == 0) continue;
      any = true;
      const unsigned status = kCountedStatuses[k];
      responses.metric.push_back(Counted(
          operation.by_status[k], {{"operation", std::string(operation.name)},
                                   {"status", status == 0 ? "other" : std::to_string(status)}}));
    }
    if (any) latency.metric.push_back(Latencies(operation));
  }
  families.push_back(std::move(responses));
  families.push_back(std::move(latency));
}

void AddGauges(Families& families, Service& service) {
  const fs::StoreFigures store = service.engine.admin().Figures();
  const auto add = [&](const char* name, const char* help, auto value) {
    AddGauge(families, name, help, static_cast<double>(value));
  };
  AddGauge(families, "build_info", "the running program", 1,
           {{"version", service.options.version}});
  add("uptime_seconds", "since the S3 endpoint started",
      static_cast<double>(MonotonicNow() - service.started_ns) / 1e9);
  add("s3_connections", "open connections", service.connections.load());
  add("s3_requests_in_flight", "requests that are being served", service.in_flight.load());
  add("store_open_handles", "open files of all mounts", store.open_handles);
  add("store_live_inodes", "files whose content the engine holds", store.live_inodes);
  add("store_blobs_to_collect", "blobs that wait for the collector", store.blobs_to_collect);
  add("store_poisoned", "1 after a failed sync: no change is accepted", store.poisoned);
  add("disk_bytes", "size of the data directory's disk", store.disk_bytes);
  add("disk_free_bytes", "what content can still take of it", store.disk_free_bytes);
  add("disk_full", "1 while new content is refused", store.disk_full);
}

}  // namespace

std::string MetricsPage(Service& service) {
  Families families;
  AddCounters(families);
  AddRequests(families, service.metrics);
  AddGauges(families, service);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace amphora::s3
