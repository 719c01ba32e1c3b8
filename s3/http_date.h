// Dates as HTTP and S3 write them. Thread-safe: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "meta/base/clock.h"

namespace amphora::s3 {

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string ToHttpDate(Time time);
// The same of now; formatted once a second and thread.
std::string_view HttpDateNow();
// "2009-10-12T17:50:30.000Z", as S3's XML has it.
std::string ToIsoDate(Time time);
// Any of the three forms of RFC 9110 section 5.6.7; whole seconds.
std::optional<Time> ParseHttpDate(std::string_view text);

}  // namespace amphora::s3
