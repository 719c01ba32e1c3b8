// GET /-/metrics in Prometheus' text format. Thread-safe; may wait for the disk (a statvfs, and the
// sync that tells whether the store is poisoned), so not for a network thread.
#pragma once

#include <string>

#include "s3/service.h"

namespace amphora::s3 {

// Every counter of meta/base/metrics.h as amphora_<name>_total, FUSE requests by operation, S3
// answers by operation and status, their latencies, and gauges of the store and the process.
std::string MetricsPage(Service& service);

}  // namespace amphora::s3
