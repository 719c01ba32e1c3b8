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

// Those of a PUT, of a copy's destination and of CompleteMultipartUpload: If-Match with an ETag or
// `If-None-Match: *`. kNotImplemented for both at once and for any other value. (S3: conditional
// writes)
Outcome<fs::Conditions> WriteConditions(const Request& request);

// That of a DELETE: If-Match with one ETag or `*`. kNotImplemented for anything else. (S3:
// conditional deletes)
Outcome<fs::DeleteCondition> DeleteCondition(const Request& request);

// The failure of a call that was bound to `conditions`; `prefix` stands before the header's name in
// <Condition>. kConditionalConflict when another change came in between, again and again.
Failure ConditionFailure(const Error& error, const fs::Conditions& conditions,
                         std::string_view prefix = {});

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// The part of `size` bytes that a Range header asks for. Nothing: all of it (no header, several
// ranges, or one that can't be read: RFC 9110 section 14.2). kInvalidRange when none of it is
// there.
Outcome<std::optional<ByteRange>> ParseRange(std::string_view header, std::uint64_t size);

// The bytes of the part that `partNumber` asks for: of an object that was not uploaded in parts,
// part 1 is all of it. Nothing without that parameter. kInvalidArgument, kInvalidPartNumber,
// kInvalidRequest beside a Range, kNotImplemented when the parts' sizes are not known
// (fs::kMaxPartRuns).
Outcome<std::optional<ByteRange>> ReadPartNumber(const Request& request,
                                                 const fs::ObjectInfo& info);

// ParseRange after If-Range (RFC 9110 section 13.1.5) is looked at.
Outcome<std::optional<ByteRange>> ReadRange(const Request& request, const fs::ObjectInfo& info);

}  // namespace amphora::s3
