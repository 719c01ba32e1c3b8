// GET /-/healthy, /-/ready, /-/metrics: what an operator asks. No bucket name begins with '-'.
// Thread-safe.
#pragma once

#include "s3/request.h"
#include "s3/response.h"
#include "s3/service.h"
#include "s3/task.h"

namespace amphora::s3 {

bool IsReserved(const Request& request);
Task<Response> AnswerReserved(Service& service, const Request& request);

}  // namespace amphora::s3
