// open(2) of an existing file, access times, fsync(2) of a directory, forget.
#include "fs/change_hub.h"
#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/files.h"
#include "fs/ops/attributes.h"
#include "fs/removed_directories.h"
#include "fs/tx.h"

namespace amphora::fs {
namespace {

constexpr std::int64_t kDayNs = 24LL * 3600 * 1'000'000'000;

bool AccessIsNews(const Attributes& seen, Time now) {
  return seen.accessed <= seen.modified || seen.accessed <= seen.changed ||
         now.nanoseconds() - seen.accessed.nanoseconds() >= kDayNs;
}

}  // namespace

Result<OpenedFile> Files::Open(const Caller& caller, InodeId inode, const OpenOptions& options) {
  std::optional<InodeRecord> row;
  auto acquired = core_.live->Acquire(inode, &row);
  // Whoever asks by inode looked the name up before: stale tells a kernel to do so again.
  if (acquired.Is(ErrorCode::kNotFound)) return Error(ErrorCode::kStale, "inode");
  if (!acquired.ok()) return acquired.error();
  std::shared_ptr<LiveInode> live = std::move(*acquired);
  AMPHORA_ASSIGN(auto handle,
                 OpenHandle(core_, std::move(live), caller, options, Freshness::kExisting));
  // An inode that was live already has its row read now; else the one read for it will do.
  if (!row) {
    Attributes attributes = handle->GetAttributes();
    return OpenedFile{attributes, std::move(handle)};
  }
  AMPHORA_ASSIGN(const Attributes attributes,
                 ReadAttributes(core_, core_.store->Newest(), inode, *row));
  return OpenedFile{attributes, std::move(handle)};
}

Status Files::NoteAccess(const Attributes& seen) {
  if (!AccessIsNews(seen, Time::Now())) return Ok();
  // By nobody's origin: the kernel that asked answers stat(2) from its cache, and must be told too.
  const auto committed = core_.Run(OriginId(), [&](Tx& tx) -> Status {
    AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(seen.inode, Lock::kExclusive));
    record.accessed = tx.now();
    AMPHORA_TRY(tx.PutInode(seen.inode, record));
    tx.AddAttributeChange(seen.inode, record.bucket);
    return Ok();
  });
  return committed.ok() ? Ok() : Status(committed.error());
}

Status Files::SyncDirectory(InodeId) { return core_.store->WaitDurable(core_.store->LastTicket()); }

void Files::Forget(OriginId origin, InodeId inode) {
  core_.removed->Forget(origin, inode, core_.changes->size() > 1);
  core_.live->Forget(origin, inode);
}

}  // namespace amphora::fs
