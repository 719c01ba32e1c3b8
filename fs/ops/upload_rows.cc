#include "fs/ops/upload_rows.h"

#include <algorithm>

#include "fs/core.h"
#include "meta/base/encoding.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kRowsAScan = 1000;
constexpr std::size_t kIdDigits = 16;

std::string BigEndian(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * (7 - i)));
  return bytes;
}

std::uint64_t FromBigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

Result<FoundUpload> Decode(const UploadName& name, UploadId upload,
                           const std::optional<std::string>& bytes) {
  if (!bytes) return Error(ErrorCode::kNoSuchUpload);
  AMPHORA_ASSIGN(UploadRecord record, DecodeUpload(*bytes));
  if (UploadIdText(upload, record) != name.id) return Error(ErrorCode::kNoSuchUpload);
  return FoundUpload{upload, std::move(record)};
}

// Every row of a range, a page at a time, erased; `take` sees each first.
template <typename Take>
Status EraseAll(Tx& tx, const meta::KeyRange& range, Take&& take) {
  for (;;) {
    AMPHORA_ASSIGN(const auto rows, tx.kv().Scan(Table::kRows, range, {.limit = kRowsAScan}));
    for (const meta::Row& row : rows) {
      AMPHORA_TRY(take(row));
      AMPHORA_TRY(tx.kv().EraseOwned(Table::kRows, row.key));
    }
    if (rows.size() < kRowsAScan) return Ok();
  }
}

}  // namespace

std::string UploadIdText(UploadId upload, const UploadRecord& record) {
  return ToHex(BigEndian(upload.value())) + ToHex(BigEndian(record.secret));
}

std::optional<UploadId> ParseUploadId(std::string_view id) {
  if (id.size() != 2 * kIdDigits) return std::nullopt;
  const auto bytes = FromHex(id);
  if (!bytes) return std::nullopt;
  const UploadId upload(FromBigEndian(bytes->substr(0, 8)));
  // Row keys hold numbers below 2^56 only.
  if (!upload.valid() || upload.value() >> 56 != 0) return std::nullopt;
  return upload;
}

Status CheckPartNumber(std::uint32_t number) {
  if (number >= 1 && number <= kMaxParts) return Ok();
  return Error(ErrorCode::kInvalidArgument, "part numbers are 1 to 10000");
}

Result<FoundUpload> FindUpload(meta::Reader& reader, const UploadName& name) {
  const auto upload = ParseUploadId(name.id);
  if (!upload) return Error(ErrorCode::kNoSuchUpload);
  AMPHORA_ASSIGN(const auto bytes,
                 reader.Get(Table::kRows, UploadKey(name.bucket, name.key, *upload)));
  return Decode(name, *upload, bytes);
}

Result<FoundUpload> FindUpload(Tx& tx, const UploadName& name, Lock lock) {
  const auto upload = ParseUploadId(name.id);
  if (!upload) return Error(ErrorCode::kNoSuchUpload);
  AMPHORA_ASSIGN(const auto bytes,
                 tx.kv().Get(Table::kRows, UploadKey(name.bucket, name.key, *upload), lock));
  return Decode(name, *upload, bytes);
}

Result<FoundUpload> FindUploadNow(Core& core, const UploadName& name) {
  auto found = FindUpload(core.store->Newest(), name);
  if (found.Is(ErrorCode::kNoSuchUpload)) {
    AMPHORA_TRY(core.store->WaitDurable(core.store->LastTicket()));
  }
  return found;
}

UploadInfo DescribeUpload(std::string key, UploadId upload, const UploadRecord& record) {
  UploadInfo info;
  info.key = std::move(key);
  info.id = UploadIdText(upload, record);
  info.owner = record.owner;
  info.initiated = record.initiated;
  info.checksum = record.checksum;
  info.checksum_type = record.checksum_type;
  info.checksum_chosen = record.checksum_chosen;
  info.uid = record.uid;
  info.gid = record.gid;
  return info;
}

PartInfo DescribePart(std::uint32_t number, const PartRecord& record) {
  return {number, record.size, ToHex(record.etag), record.modified, record.checksum};
}

Result<std::vector<NumberedPart>> ReadParts(meta::Reader& reader, UploadId upload,
                                            std::uint32_t after, std::size_t limit) {
  std::vector<NumberedPart> parts;
  meta::KeyRange range = RangeOf(RowKind::kPart, upload);
  range.begin = PartKey(upload, after + 1);
  while (parts.size() < limit) {
    const std::size_t page = std::min(kRowsAScan, limit - parts.size());
    AMPHORA_ASSIGN(const auto rows, reader.Scan(Table::kRows, range, {.limit = page}));
    for (const meta::Row& row : rows) {
      NumberedPart part;
      AMPHORA_ASSIGN(part.number, DecodePartNumberOf(row.key));
      AMPHORA_ASSIGN(part.record, DecodePart(row.value));
      parts.push_back(std::move(part));
    }
    if (rows.size() < page) break;
    range.begin = rows.back().key + '\0';
  }
  return parts;
}

Status PutPart(Tx& tx, BucketId bucket, UploadId upload, std::uint32_t number,
               const PartRecord& record) {
  const std::string key = PartKey(upload, number);
  AMPHORA_ASSIGN(const auto bytes, tx.kv().Get(Table::kRows, key, Lock::kExclusive));
  auto growth = static_cast<std::int64_t>(record.size);
  if (bytes) {
    AMPHORA_ASSIGN(const PartRecord old, DecodePart(*bytes));
    growth -= static_cast<std::int64_t>(old.size);
    if (old.alone && old.blob.valid()) {
      AMPHORA_TRY(tx.kv().EraseOwned(Table::kRows, UploadBlobKey(upload, old.blob)));
      AMPHORA_TRY(tx.DropBlobReference(old.blob));
    }
  }
  if (record.blob.valid()) {
    const std::string held = UploadBlobKey(upload, record.blob);
    // A blob of its own is nobody else's, so nobody can have added the row.
    std::optional<std::string> holds;
    if (!record.alone) {
      AMPHORA_ASSIGN(holds, tx.kv().Get(Table::kRows, held, Lock::kShared));
    }
    if (!holds) {
      AMPHORA_TRY(tx.AddBlobReference(record.blob));
      AMPHORA_TRY(tx.kv().Put(Table::kRows, held, ""));
    }
  }
  AMPHORA_TRY(tx.AddPartUsage(bucket, growth));
  return tx.kv().Put(Table::kRows, key, Encode(record));
}

Result<std::vector<BlobId>> EraseUpload(Tx& tx, BucketId bucket, std::string_view key,
                                        UploadId upload) {
  std::vector<BlobId> held;
  std::int64_t bytes = 0;
  AMPHORA_TRY(EraseAll(tx, RangeOf(RowKind::kPart, upload), [&](const meta::Row& row) -> Status {
    AMPHORA_ASSIGN(const PartRecord part, DecodePart(row.value));
    bytes += static_cast<std::int64_t>(part.size);
    return Ok();
  }));
  AMPHORA_TRY(tx.AddPartUsage(bucket, -bytes));
  AMPHORA_TRY(
      EraseAll(tx, RangeOf(RowKind::kUploadBlob, upload), [&](const meta::Row& row) -> Status {
        AMPHORA_ASSIGN(const BlobId blob, DecodeBlobOf(row.key));
        held.push_back(blob);
        return Ok();
      }));
  AMPHORA_TRY(tx.kv().Erase(Table::kRows, UploadKey(bucket, key, upload)));
  return held;
}

Status FreeUpload(Tx& tx, BucketId bucket, std::string_view key, UploadId upload) {
  AMPHORA_ASSIGN(const auto held, EraseUpload(tx, bucket, key, upload));
  for (const BlobId blob : held) AMPHORA_TRY(tx.DropBlobReference(blob));
  return Ok();
}

Result<std::vector<UploadId>> FreeUploads(Tx& tx, BucketId bucket, std::size_t most_rows) {
  std::vector<UploadId> freed;
  for (std::size_t rows_erased = 0; rows_erased < most_rows;) {
    AMPHORA_ASSIGN(const auto rows,
                   tx.kv().Scan(Table::kRows, UploadsFrom(bucket, ""), {.limit = 1}));
    if (rows.empty()) break;
    const std::string& row = rows.front().key;
    // Exclusively: a part may be about to be added.
    AMPHORA_ASSIGN(const auto still, tx.kv().Get(Table::kRows, row, Lock::kExclusive));
    if (!still) return Error(ErrorCode::kConflict, "an upload ended meanwhile");
    AMPHORA_ASSIGN(const UploadId upload, DecodeUploadOf(row));
    AMPHORA_ASSIGN(const std::string key, DecodeUploadedKeyOf(row));
    AMPHORA_ASSIGN(const auto parts, ReadParts(tx.kv(), upload, 0, kMaxParts));
    AMPHORA_TRY(FreeUpload(tx, bucket, key, upload));
    freed.push_back(upload);
    rows_erased += 1 + parts.size();
  }
  return freed;
}

}  // namespace amphora::fs
