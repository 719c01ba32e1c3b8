// The body of CompleteMultipartUpload: the list of parts that make the object. (S3:
// CompleteMultipartUpload) Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fs/objects.h"
#include "s3/error.h"

namespace amphora::s3 {

struct ListedPart {
  std::uint32_t number = 0;                         // 1 to 10,000
  std::string etag;                                 // without quotes
  std::map<fs::DigestKind, std::string> checksums;  // raw, by the element that said it
};

// In the document's order, which the engine judges. kMalformedXml (also beyond 10,000 parts),
// kInvalidRequest when there is none, kInvalidArgument for a part number that can't be,
// kNotImplemented for a checksum that is not built.
Outcome<std::vector<ListedPart>> ReadCompleteDocument(const std::string& document);

}  // namespace amphora::s3
