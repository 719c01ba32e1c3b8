// What a crash left (hazards section 5): files that were open for writing, inodes without a name
// that somebody held, blobs that no row names. Runs alone, before anything else uses the store.
#include <algorithm>
#include <functional>

#include "fs/core.h"
#include "fs/data/blob_store.h"
#include "fs/data/live.h"
#include "fs/data/open_row.h"
#include "fs/keys.h"
#include "fs/tx.h"
#include "meta/base/failpoint.h"
#include "meta/base/log.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kBatch = 1000;

// Calls `visit` for every row of a kind; it may erase the row.
Status ForEachRow(Core& core, RowKind kind, const std::function<Status(const meta::Row&)>& visit) {
  meta::KeyRange range = RangeOf(kind);
  for (;;) {
    AMPHORA_ASSIGN(const auto rows,
                   core.store->Newest().Scan(Table::kRows, range, {.limit = kBatch}));
    for (const meta::Row& row : rows) AMPHORA_TRY(visit(row));
    if (rows.size() < kBatch) return Ok();
    range.begin = rows.back().key + '\0';
  }
}

// Size and times as the blob has them: a row may promise bytes that never reached the disk, and
// bytes may be there that no row tells of. The ETag goes: what was written in place is not known.
Status FitToBlob(Tx& tx, InodeRecord& record, const BlobFigures& figures) {
  if (record.links > 0) {
    AMPHORA_TRY(tx.AddUsage(
        record.bucket, 0, 0,
        static_cast<std::int64_t>(figures.size) - static_cast<std::int64_t>(record.size)));
  }
  record.size = figures.size;
  record.modified = std::max(record.modified, figures.modified);
  record.changed = std::max(record.changed, figures.changed);
  record.last_modified = std::max(record.last_modified, figures.modified);
  record.content_stamp = tx.stamp();
  record.ForgetDigests();
  return Ok();
}

// The figures of the blob after its sync: once the open-for-write row is erased nobody looks again,
// so what the row says must be on the disk before.
Result<BlobFigures> SyncedFigures(Core& core, BlobId id) {
  AMPHORA_ASSIGN(const auto blob, core.blobs->Open(id));
  AMPHORA_TRY(blob->Sync());
  return blob->Figures();
}

Status RecoverOpenForWrite(Core& core, InodeId inode, std::uint64_t& clipped) {
  AMPHORA_TRY(Failpoint("fs.recover.before_open_row"));
  AMPHORA_ASSIGN(const auto before, ReadInode(core.store->Newest(), inode));
  std::optional<BlobFigures> figures;
  if (before && before->content == ContentKind::kBlob) {
    auto found = SyncedFigures(core, before->blob);
    if (found.Is(ErrorCode::kCorrupt)) {
      // One damaged file must not keep the store closed. The row stays, for `amphora check`.
      std::string line = "event=blob_missing";
      AppendField(line, "inode", inode.value());
      AppendField(line, "blob", before->blob.value());
      Log(LogLevel::kError, line);
      return Ok();
    }
    if (!found.ok()) return found.error();
    figures = *found;
    if (figures->size < before->size) ++clipped;
  }
  const auto committed = core.Run(OriginId(), [&](Tx& tx) -> Status {
    if (figures) {
      AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
      AMPHORA_TRY(FitToBlob(tx, record, *figures));
      AMPHORA_TRY(tx.PutInode(inode, record));
    }
    return tx.kv().EraseOwned(Table::kRows, OpenForWriteKey(inode));
  });
  return committed.ok() ? Ok() : Status(committed.error());
}

Status RecoverOpenForWriteRows(Core& core) {
  std::uint64_t count = 0;
  std::uint64_t clipped = 0;
  AMPHORA_TRY(ForEachRow(core, RowKind::kOpenForWrite, [&](const meta::Row& row) -> Status {
    AMPHORA_ASSIGN(const InodeId inode, DecodeInodeOf(row.key));
    AMPHORA_TRY(DecodeOpenRow(row.value));
    ++count;
    return RecoverOpenForWrite(core, inode, clipped);
  }));
  if (count == 0) return Ok();
  std::string line = "event=recovered_open_files";
  AppendField(line, "files", count);
  AppendField(line, "clipped", clipped);
  Log(LogLevel::kInfo, line);
  return Ok();
}

// Blobs of the ids that were given out since the last settled state, and that no row names: content
// that was staged but not committed, and blobs prepared beforehand.
Status RemoveUnreferenced(Core& core) {
  const BlobId begin(core.blob_ids->unsettled_begin());
  const BlobId end(core.blob_ids->unsettled_end());
  std::vector<BlobId> found;
  AMPHORA_TRY(core.blobs->ForEach(begin, end, [&](BlobId blob) -> Status {
    found.push_back(blob);
    return Ok();
  }));
  std::uint64_t removed = 0;
  for (std::size_t at = 0; at < found.size(); at += kBatch) {
    const std::size_t count = std::min(kBatch, found.size() - at);
    std::vector<std::string> keys;
    for (std::size_t i = at; i < at + count; ++i) keys.push_back(BlobKey(found[i]));
    for (std::size_t i = at; i < at + count; ++i) keys.push_back(GarbageKey(found[i]));
    AMPHORA_ASSIGN(const auto rows, core.store->Newest().MultiGet(Table::kRows, keys));
    for (std::size_t i = 0; i < count; ++i) {
      // The collector removes those in its queue.
      if (rows[i] || rows[count + i]) continue;
      AMPHORA_TRY(core.blobs->Remove(found[at + i]));
      ++removed;
    }
  }
  if (removed == 0) return Ok();
  std::string line = "event=removed_unreferenced_blobs";
  AppendField(line, "blobs", removed);
  Log(LogLevel::kInfo, line);
  return Ok();
}

}  // namespace

Status LiveTable::Recover() {
  AMPHORA_TRY(RecoverOpenForWriteRows(core_));
  AMPHORA_TRY(ForEachRow(core_, RowKind::kOrphan, [&](const meta::Row& row) -> Status {
    AMPHORA_ASSIGN(const InodeId inode, DecodeInodeOf(row.key));
    return Reap(inode);
  }));
  AMPHORA_TRY(core_.store->WaitDurable(core_.store->LastTicket()));
  AMPHORA_TRY(RemoveUnreferenced(core_));
  return core_.blob_ids->MarkSettled();
}

}  // namespace amphora::fs
