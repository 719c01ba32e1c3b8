// When a request was signed, as x-amz-date has it. (A Date header is read by s3/http_date.h.)
// Internal to s3/auth. Thread-safe: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "meta/base/clock.h"

namespace amphora::s3::auth {

// "20130524T000000Z" (x-amz-date, X-Amz-Date). Nothing when it is not exactly that or no such day
// exists.
std::optional<Time> ParseAmzDate(std::string_view text);

// The same text from a time, whole seconds.
std::string FormatAmzDate(Time time);

}  // namespace amphora::s3::auth
