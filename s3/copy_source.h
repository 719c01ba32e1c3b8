// x-amz-copy-source and its like: from what object, which of its bytes, under which conditions.
// (S3: CopyObject, UploadPartCopy) Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fs/objects.h"
#include "fs/uploads.h"
#include "s3/error.h"
#include "s3/request.h"

namespace amphora::s3 {

inline constexpr std::string_view kCopySourcePrefix = "x-amz-copy-source-";

struct CopySource {
  std::string bucket;
  std::string key;
  friend bool operator==(const CopySource&, const CopySource&) = default;
};

// "bucket/key" or "/bucket/key", percent-encoded; '+' is itself. kInvalidArgument when it is
// neither; kNotImplemented for a version ("…?versionId=…") and for an access point's ARN.
Outcome<CopySource> ParseCopySource(std::string_view text);
Outcome<CopySource> ReadCopySource(const Request& request);

// x-amz-copy-source-if-*. A date that can't be read does not count (RFC 9110 section 13.1.3).
fs::Conditions CopySourceConditions(const Request& request);

// "bytes=first-last", both ends named and in order. kInvalidArgument for anything else.
Outcome<fs::ByteSpan> ParseCopyRange(std::string_view text);

}  // namespace amphora::s3
