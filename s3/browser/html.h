// Text for the bucket browser's pages: nothing in a key can become markup, an address or a trick of
// the eye. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "meta/base/clock.h"

namespace amphora::s3 {

// For text and for quoted attribute values.
std::string EscapeHtml(std::string_view text);

// A key as people see it, escaped: control characters as \n, \t or their number, characters that
// turn the direction of text or have no width as their number, bytes that are no UTF-8 as U+FFFD.
std::string ShowName(std::string_view name);

// "0 B", "999 B", "1.0 KiB", "12.3 GiB".
std::string ShowSize(std::uint64_t bytes);
// "1,234,567"
std::string ShowNumber(std::uint64_t number);
// "2026-11-23 13:58:42", UTC.
std::string ShowTime(Time time);

}  // namespace amphora::s3
