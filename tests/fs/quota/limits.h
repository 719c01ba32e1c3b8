// Short names for a bucket's quotas, and the proof that the ledger in memory equals what is there:
// with a quota of one byte more than that, one byte fits and a second does not.
#pragma once

#include <gtest/gtest.h>

#include "fs/engine.h"

namespace amphora::test {

inline void SetQuotas(fs::Engine& engine, std::optional<std::uint64_t> bytes,
                      std::optional<std::uint64_t> inodes = std::nullopt) {
  fs::BucketSettingsChange change;
  change.quota_bytes = bytes;
  change.quota_inodes = inodes;
  const auto set = engine.buckets().ChangeSettings("s3v", "bucket", change);
  ASSERT_TRUE(set.ok()) << set.error().ToString();
}

inline std::uint64_t BytesIn(fs::Engine& engine) {
  const auto info = engine.buckets().GetBucket("s3v", "bucket");
  EXPECT_TRUE(info.ok());
  return info.ok() ? info->bytes + info->part_bytes : 0;
}

inline Status PutProbe(fs::Engine& engine, fs::BucketId bucket, std::size_t bytes) {
  AMPHORA_ASSIGN(auto writer,
                 engine.objects().BeginPut(
                     {.bucket = bucket, .key = "probe", .declared_size = {}, .digests = {}}));
  const std::string content(bytes, 'p');
  AMPHORA_TRY(writer->Append(std::as_bytes(std::span(content))));
  const auto put = writer->Commit({});
  return put.ok() ? Ok() : Status(put.error());
}

// Nothing of the bucket may be open or on its way. Leaves it without quotas.
inline void ExpectLedgerIs(fs::Engine& engine, fs::BucketId bucket, std::uint64_t bytes) {
  SetQuotas(engine, bytes + 1);
  EXPECT_TRUE(PutProbe(engine, bucket, 2).Is(ErrorCode::kQuotaExceeded));
  EXPECT_TRUE(PutProbe(engine, bucket, 1).ok());
  EXPECT_TRUE(engine.objects().Delete({}, bucket, "probe").ok());
  SetQuotas(engine, std::nullopt);
}

}  // namespace amphora::test
