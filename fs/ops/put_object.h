// PUT of an object: the rules of one transaction that puts new content in place of what a key
// names. The face is Objects::BeginPut; this is what it is made of.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fs/data/stage.h"
#include "fs/objects.h"

namespace amphora::fs {

class Core;

// What a write's conditions are decided on: the current object, or none. kPreconditionFailed;
// kNotFound for If-Match when there is no object (S3: conditional writes).
Status CheckWriteConditions(const Conditions& conditions, const std::optional<std::string>& etag);

struct PutRequest {
  BucketId bucket;
  std::string_view key;
  const StagedContent& content;
  const Digests& computed;
  const PutOptions& options;
};

// Puts `content` in place of what the key names. Publishes the changes; not yet durable.
Result<PutOutcome> PutObject(Core& core, const PutRequest& request);

}  // namespace amphora::fs
