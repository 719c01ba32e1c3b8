// DELETE of objects. The face is Objects::Delete and Objects::DeleteMany; this is what both are
// made of. Blocking, thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "fs/objects.h"

namespace amphora::fs {

class Core;

struct DeletedMany {
  std::vector<bool> existed;  // by key
  Ticket ticket = 0;
};

// Deletes what `keys` name in one transaction; then implicit directories that became empty go too.
Result<DeletedMany> DeleteObjects(Core& core, const Caller& caller, BucketId bucket,
                                  const std::vector<std::string_view>& keys);

}  // namespace amphora::fs
