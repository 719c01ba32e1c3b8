// Conditional headers and byte ranges, from text to the engine's words. Thread-safe: pure
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/objects.h"
#include "s3/error.h"
#include "s3/request.h"

namespace amphora::s3 {

// `"a", W/"b", c` -> a, b, c. Quotes are optional, as S3 has it. `*` stays.
std::vector<std::string> ParseETags(std::string_view text);

// If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since. A date that can't be read does
// not count (RFC 9110 section 13.1.3).
fs::Conditions ReadConditions(const Request& request);

// Those of a PUT. (S3: conditional writes) An If-None-Match other than `*` is kNotImplemented.
Outcome<fs::Conditions> WriteConditions(const Request& request);

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// The part of `size` bytes that a Range header asks for. Nothing: all of it (no header, several
// ranges, or one that can't be read: RFC 9110 section 14.2). kInvalidRange when none of it is
// there.
Outcome<std::optional<ByteRange>> ParseRange(std::string_view header, std::uint64_t size);

// The same after If-Range (RFC 9110 section 13.1.5) is looked at.
Outcome<std::optional<ByteRange>> ReadRange(const Request& request, const fs::ObjectInfo& info);

}  // namespace amphora::s3
