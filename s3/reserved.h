// GET /-/healthy, /-/ready, /-/metrics: what an operator asks. No bucket name begins with '-'.
// Thread-safe.
#pragma once

#include "s3/request.h"
#include "s3/response.h"
#include "s3/service.h"

namespace amphora::s3 {

bool IsReserved(const Request& request);
Response AnswerReserved(Service& service, const Request& request);

// Every counter of meta/base/metrics.h in Prometheus' text format, as amphora_<name>_total.
std::string MetricsText();

}  // namespace amphora::s3
