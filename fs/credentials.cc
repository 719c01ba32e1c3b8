// Access keys: rows 'A' by id. A secret is 32 bytes of the system's random source, in hex. A new
// key and a revocation are durable before they are answered.

#include "fs/credentials.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <utility>

#include "fs/admin/row_cursor.h"
#include "fs/core.h"
#include "fs/credential_cache.h"
#include "meta/base/encoding.h"
#include "meta/base/metrics.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kMostIdBytes = 128;
constexpr std::size_t kSecretBytes = 32;

Status CheckId(std::string_view id) {
  if (id.empty() || id.size() > kMostIdBytes) {
    return Error(ErrorCode::kBadName, "an access key id has 1 to 128 bytes");
  }
  for (const char c : id) {
    if (c <= 0x20 || c > 0x7e) {
      return Error(ErrorCode::kBadName, "an access key id is printable ASCII without spaces");
    }
  }
  return Ok();
}

Result<std::string> NewSecret() {
  std::array<unsigned char, kSecretBytes> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) {
    return Error(ErrorCode::kIo, "the system's random source failed");
  }
  std::string secret =
      ToHex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return secret;
}

AccessKey ToKey(std::string_view id, AccessKeyRecord record) {
  AccessKey key;
  key.id = id;
  key.secret = std::move(record.secret);
  key.uid = record.uid;
  key.gid = record.gid;
  key.owner = std::move(record.owner);
  key.created = record.created;
  return key;
}

}  // namespace

Result<AccessKey> Credentials::GetOrCreate(std::string_view id, const Caller& caller,
                                           std::string_view owner) {
  AMPHORA_TRY(CheckId(id));
  AMPHORA_ASSIGN(const std::string secret, NewSecret());
  auto committed = core_.Run(caller.origin, [&](Tx& tx) -> Result<AccessKey> {
    AMPHORA_ASSIGN(const auto bytes, tx.kv().Get(Table::kRows, AccessKeyKey(id), Lock::kExclusive));
    if (bytes) {
      AMPHORA_ASSIGN(AccessKeyRecord record, DecodeAccessKey(*bytes));
      return ToKey(id, std::move(record));
    }
    AccessKeyRecord record{secret, caller.uid, caller.gid, std::string(owner), tx.now()};
    AMPHORA_TRY(tx.kv().Put(Table::kRows, AccessKeyKey(id), Encode(record)));
    return ToKey(id, std::move(record));
  });
  if (!committed.ok()) return committed.error();
  AMPHORA_TRY(core_.store->WaitDurable(committed->ticket));
  return std::move(committed->value);
}

Status Credentials::Revoke(std::string_view id) {
  const auto committed = core_.Run(OriginId(), [&](Tx& tx) -> Status {
    AMPHORA_ASSIGN(const auto bytes, tx.kv().Get(Table::kRows, AccessKeyKey(id), Lock::kExclusive));
    if (!bytes) return Error(ErrorCode::kNoSuchKey);
    return tx.kv().Erase(Table::kRows, AccessKeyKey(id));
  });
  if (!committed.ok()) return committed.error();
  core_.credentials->Forget(std::string(id));
  return core_.store->WaitDurable(committed->ticket);
}

Result<AccessKey> Credentials::Find(std::string_view id) {
  const std::string name(id);
  if (auto cached = core_.credentials->Find(name)) {
    Count(Counter::kRecordCacheHits);
    return std::move(*cached);
  }
  Count(Counter::kRecordCacheMisses);
  const std::uint64_t generation = core_.credentials->Generation(name);
  AMPHORA_ASSIGN(const auto bytes, core_.store->Newest().Get(Table::kRows, AccessKeyKey(id)));
  if (!bytes) return Error(ErrorCode::kNoSuchKey);
  AMPHORA_ASSIGN(AccessKeyRecord record, DecodeAccessKey(*bytes));
  AccessKey key = ToKey(id, std::move(record));
  core_.credentials->Remember(name, generation, key);
  return key;
}

Result<std::vector<AccessKey>> Credentials::List() {
  std::vector<AccessKey> keys;
  const auto snapshot = core_.store->Snapshot();
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot, Table::kRows, RangeOf(RowKind::kAccessKey)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(AccessKeyRecord record, DecodeAccessKey(row.value));
                           record.secret.clear();
                           keys.push_back(ToKey(DecodeTextOf(row.key), std::move(record)));
                           return Ok();
                         }));
  return keys;
}

}  // namespace amphora::fs
