// PUT of an object: the rules of one transaction that puts new content in place of what a key
// names. The face is Objects::BeginPut; this is what it is made of.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "fs/data/stage.h"
#include "fs/objects.h"
#include "fs/tx.h"
#include "meta/base/failpoint.h"

namespace amphora::fs {

class Core;

// What a write's conditions are decided on: the current object, or none. kPreconditionFailed;
// kNotFound for If-Match when there is no object (S3: conditional writes).
Status CheckWriteConditions(const Conditions& conditions, const std::optional<std::string>& etag);

// The ETag that S3 sees of a file or directory whose row this transaction holds exclusively.
std::string EtagNow(Core& core, InodeId inode, const InodeRecord& record);

// What the key is to name from now on.
struct NewObject {
  StagedContent content;
  ObjectMetadata metadata;
  std::string etag;  // as InodeRecord::etag
  std::optional<ObjectChecksum> checksum;
  std::uint32_t parts = 0;
  std::vector<PartRun> part_runs;
  std::uint64_t upload = 0;
  std::string part_checksums;  // raw, one behind the other; empty: not kept
};

struct PutRequest {
  BucketId bucket;
  std::string_view key;
  const Conditions& conditions;
  const Caller& caller;
  NewObject object;
  // Runs first in the transaction, perhaps several times; what it decides goes into the object.
  std::function<Status(Tx&, NewObject&)> decide;
  FailpointName before_commit = "fs.put.before_commit";
};

struct PutResult {
  ObjectInfo info;
  Ticket ticket = 0;
};

// Puts the object in place of what the key names. Publishes the changes; not yet durable. A refusal
// that rests on another's commit is answered once that commit is durable (hazards 5.9): blocks.
Result<PutResult> PutObject(Core& core, PutRequest request);

}  // namespace amphora::fs
