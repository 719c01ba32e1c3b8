// From a parsed request to its answer: route, gate, operation; failures become S3's XML, are
// counted and logged here. Runs on the connection's network thread.
#pragma once

#include <string_view>

#include "s3/body.h"
#include "s3/request.h"
#include "s3/response.h"
#include "s3/service.h"

namespace amphora::s3 {

Task<Response> Answer(Service& service, const Request& request, Body& body,
                      std::string_view request_id);

// The answer to bytes that are no request that we read.
Response Refuse(const Failure& failure, std::string_view request_id);

}  // namespace amphora::s3
