// The bucket browser's answers: a page with the headers that every page has, and a failure as a
// page. Thread-safe: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "s3/error.h"
#include "s3/request.h"
#include "s3/response.h"

namespace amphora::s3 {

Response PageAnswer(unsigned status, std::string html);

// Whether the request asks for a page of the bucket browser, so that a person reads the answer.
bool WantsPage(const Request& request);

// What Response::FromFailure says, with the same status, for people.
Response FailurePage(const Failure& failure, std::string_view resource,
                     std::string_view request_id);

}  // namespace amphora::s3
