#include "fs/ops/upload_finished.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fs/admin/row_cursor.h"
#include "fs/core.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kRowsATransaction = 1000;
constexpr std::int64_t kSecondNs = 1'000'000'000;

}  // namespace

Status NoteFinished(Tx& tx, const UploadName& name, const FoundUpload& upload,
                    const NewObject& object) {
  FinishedUploadRecord record;
  record.bucket = name.bucket;
  record.key = name.key;
  record.secret = upload.record.secret;
  record.finished = tx.now();
  record.etag = object.etag;
  record.size = object.content.size;
  record.checksum = object.checksum;
  record.parts = object.parts;
  return tx.kv().PutFresh(Table::kRows, FinishedUploadKey(upload.id), Encode(record));
}

Result<std::optional<ObjectInfo>> FindFinished(meta::Reader& reader, const UploadName& name) {
  std::optional<ObjectInfo> info;
  const auto upload = ParseUploadId(name.id);
  if (!upload) return info;
  AMPHORA_ASSIGN(const auto bytes, reader.Get(Table::kRows, FinishedUploadKey(*upload)));
  if (!bytes) return info;
  AMPHORA_ASSIGN(const FinishedUploadRecord record, DecodeFinishedUpload(*bytes));
  UploadRecord of_id;
  of_id.secret = record.secret;
  const bool same = record.bucket == name.bucket && record.key == name.key &&
                    UploadIdText(*upload, of_id) == name.id;
  if (!same) return info;
  info.emplace();
  info->key = record.key;
  info->size = record.size;
  info->etag = record.etag;
  info->last_modified = info->modified = record.finished;
  info->checksum = record.checksum;
  info->parts = record.parts;
  return info;
}

Status SweepFinished(Core& core) {
  std::vector<std::pair<Time, std::string>> kept;  // by age
  const auto snapshot = core.store->Snapshot();
  AMPHORA_TRY(ForEachRow(RowCursor(*snapshot, Table::kRows, RangeOf(RowKind::kFinishedUpload)),
                         [&](const meta::Row& row) -> Status {
                           AMPHORA_ASSIGN(const auto record, DecodeFinishedUpload(row.value));
                           kept.emplace_back(record.finished, row.key);
                           return Ok();
                         }));
  std::ranges::sort(kept);
  const Time oldest(Time::Now().nanoseconds() - core.options.finished_uploads_kept_s * kSecondNs);
  std::size_t gone = 0;
  while (gone < kept.size() &&
         (kept[gone].first < oldest || kept.size() - gone > core.options.finished_uploads_kept)) {
    ++gone;
  }
  for (std::size_t at = 0; at < gone; at += kRowsATransaction) {
    const auto committed = meta::Transact(*core.store, [&](meta::Transaction& kv) -> Status {
      const std::size_t end = std::min(gone, at + kRowsATransaction);
      // An upload is completed once: nobody writes these rows any more.
      for (std::size_t i = at; i < end; ++i) {
        AMPHORA_TRY(kv.EraseOwned(Table::kRows, kept[i].second));
      }
      return Ok();
    });
    if (!committed.ok()) return committed.error();
  }
  return Ok();
}

}  // namespace amphora::fs
