#include "fs/upgrade.h"

#include <string>
#include <unordered_map>

#include "fs/admin/row_cursor.h"
#include "fs/core.h"
#include "fs/data_directory.h"
#include "fs/engine.h"
#include "fs/tx.h"
#include "meta/base/log.h"

namespace amphora::fs {
namespace {

using PartBytes = std::unordered_map<BucketId, std::int64_t>;

Result<PartBytes> SumUpParts(meta::Reader& reader) {
  std::unordered_map<UploadId, BucketId> buckets;
  AMPHORA_TRY(ForEachRow(RowCursor(reader, Table::kRows, RangeOf(RowKind::kUpload)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const InodeId bucket, DecodeInodeOf(row.key));
                           AMPHORA_ASSIGN(const UploadId upload, DecodeUploadOf(row.key));
                           buckets.emplace(upload, BucketId(bucket.value()));
                           return Ok();
                         }));
  PartBytes bytes;
  AMPHORA_TRY(ForEachRow(RowCursor(reader, Table::kRows, RangeOf(RowKind::kPart)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const UploadId upload, DecodeUploadOf(row.key));
                           AMPHORA_ASSIGN(const PartRecord part, DecodePart(row.value));
                           const auto bucket = buckets.find(upload);
                           if (bucket == buckets.end()) return Ok();  // check tells of it
                           bytes[bucket->second] += static_cast<std::int64_t>(part.size);
                           return Ok();
                         }));
  return bytes;
}

// Builds of format 1 counted no parts of uploads in the usage of their bucket, or, later ones, only
// those that they put themselves: so the difference is counted, and twice is as good as once.
Status CountParts(Core& core) {
  AMPHORA_ASSIGN(const PartBytes bytes, SumUpParts(*core.store->Snapshot()));
  const auto committed = core.Run(OriginId(), [&](Tx& tx) -> Status {
    for (const auto& [bucket, sum] : bytes) {
      AMPHORA_ASSIGN(const meta::MergeValue usage, ReadMerged(tx.kv(), UsageKey(bucket)));
      AMPHORA_TRY(tx.AddPartUsage(bucket, sum - usage.sums[kPartBytes]));
    }
    return Ok();
  });
  if (!committed.ok()) return committed.error();
  return core.store->WaitDurable(committed->ticket);
}

}  // namespace

Status UpgradeStore(Core& core) {
  const std::uint32_t from = core.directory->format();
  if (from == kStoreFormat) return Ok();
  if (from < 2) AMPHORA_TRY(CountParts(core));
  AMPHORA_TRY(core.directory->MarkUpgraded());
  std::string line = "event=store_upgraded";
  AppendField(line, "from", from);
  AppendField(line, "to", kStoreFormat);
  Log(LogLevel::kInfo, line);
  return Ok();
}

}  // namespace amphora::fs
