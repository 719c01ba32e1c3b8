// The body of DeleteObjects: the list of keys to delete. (S3: DeleteObjects) Thread-safe: pure
// functions.
#pragma once

#include <string>
#include <vector>

#include "fs/objects.h"
#include "s3/error.h"

namespace amphora::s3 {

struct DeleteRequest {
  std::vector<fs::DeleteManyItem> items;
  bool quiet = false;  // answer only the keys that failed
};

// In the document's order. kMalformedXml (also without a key or beyond 1,000), kNotImplemented for
// versions and the conditions of directory buckets.
Outcome<DeleteRequest> ReadDeleteDocument(const std::string& document);

}  // namespace amphora::s3
