// DELETE of objects. The face is Objects::Delete and Objects::DeleteMany; this is what both are
// made of. Blocking, thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "fs/objects.h"

namespace amphora::fs {

class Core;

struct DeleteItem {
  std::string_view key;
  DeleteCondition if_match;
};

struct DeletedMany {
  struct Outcome {
    bool existed = false;
    std::optional<Error> refused;  // by its condition: kPreconditionFailed or kNotFound
  };
  std::vector<Outcome> outcomes;  // by item
  // Covers refusals too: they rest on what others committed (hazards 5.9).
  Ticket ticket = 0;
};

// Deletes what `items` name in one transaction, except those whose condition does not hold; then
// implicit directories that became empty go too.
Result<DeletedMany> DeleteObjects(Core& core, const Caller& caller, BucketId bucket,
                                  const std::vector<DeleteItem>& items);

}  // namespace amphora::fs
