// DELETE. A key that does not end in '/' takes away the file's name, and only that. A key "dir/"
// takes away the directory's content and makes it implicit; when no name is left inside, it
// vanishes (hazards 4.2, 4.3).
//
// The guard rule: the row of an implicit directory is taken exclusively before the scan that finds
// it empty, in the transaction that removes the name. Its 'Z' row is in the same batch, so that a
// crash before the directory is gone leaves work for the next start and no phantom.

#include "fs/ops/delete_object.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "fs/core.h"
#include "fs/ops/displace.h"
#include "fs/ops/put_object.h"
#include "fs/ops/resolve_key.h"
#include "fs/ops/vanish.h"
#include "meta/base/failpoint.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kKeysPerTransaction = 100;

class Deletion {
 public:
  Deletion(Core& core, const Caller& caller, BucketId bucket, const std::vector<DeleteItem>& items)
      : core_(core), caller_(caller), bucket_(bucket), displaced_(core) {
    items_.reserve(items.size());
    for (const DeleteItem& item : items) {
      items_.push_back({SplitKey(item.key), &item.if_match, false, {}});
    }
    // In the order of names, so that two deletions take their locks in the same order.
    order_.resize(items.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::stable_sort(
        order_, [&](std::size_t a, std::size_t b) { return items[a].key < items[b].key; });
  }

  Result<DeletedMany> Run();

 private:
  struct Item {
    KeyPath path;
    const DeleteCondition* if_match;
    bool hint_implicit;  // the parent came with a deeper key, when last looked at
    DeletedMany::Outcome outcome;
  };

  Result<bool> LookAhead();
  Status Transact(Tx& tx);
  Result<bool> DeleteItemOf(Tx& tx, const Item& item);
  Result<bool> DeleteFile(Tx& tx, InodeId directory, const Item& item);
  Result<bool> DeleteDirectory(Tx& tx, InodeId directory, const Item& item);
  Status CheckCondition(Tx& tx, const Item& item, InodeId inode) const;
  Status DropFile(Tx& tx, Slot& slot);
  Status VanishIfEmpty(Tx& tx, InodeId directory);

  Core& core_;
  const Caller& caller_;
  const BucketId bucket_;
  std::vector<Item> items_;
  std::vector<std::size_t> order_;
  std::vector<InodeId> emptied_;
  Displacement displaced_;
};

// False when none of the keys exists.
Result<bool> Deletion::LookAhead() {
  const auto snapshot = core_.store->Snapshot();
  bool any = false;
  for (Item& item : items_) {
    AMPHORA_ASSIGN(const auto found, FindObject(*snapshot, bucket_, item.path));
    if (!found) continue;
    any = true;
    if (found->record.kind == FileKind::kDirectory) continue;
    AMPHORA_ASSIGN(const auto parent, ReadInode(*snapshot, found->parent));
    item.hint_implicit = parent && parent->implicit;
  }
  return any;
}

// On what the key names: `inode`. Its row is held exclusively from here on.
Status Deletion::CheckCondition(Tx& tx, const Item& item, InodeId inode) const {
  if (!*item.if_match) return Ok();
  AMPHORA_ASSIGN(const InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
  if (**item.if_match == "*" || **item.if_match == EtagNow(core_, inode, record)) return Ok();
  return Error(ErrorCode::kPreconditionFailed);
}

Status Deletion::DropFile(Tx& tx, Slot& slot) {
  const InodeId inode = slot.file->inode;
  AMPHORA_TRY(RemoveEntry(tx, slot, bucket_, false));
  return displaced_.DropName(tx, inode);
}

// `directory` is implicit and its row is held exclusively.
Status Deletion::VanishIfEmpty(Tx& tx, InodeId directory) {
  AMPHORA_ASSIGN(const auto rows,
                 tx.kv().Scan(Table::kRows, RangeOf(RowKind::kDentry, directory), {.limit = 1}));
  if (!rows.empty()) return Ok();
  emptied_.push_back(directory);
  return tx.kv().Put(Table::kRows, VanishingKey(directory), "");
}

Result<bool> Deletion::DeleteFile(Tx& tx, InodeId directory, const Item& item) {
  // At least shared: else a DELETE of "dir/" could make the directory implicit beside us, and
  // nobody would see that it is empty.
  AMPHORA_ASSIGN(auto parent,
                 tx.FindInode(directory, item.hint_implicit ? Lock::kExclusive : Lock::kShared));
  if (!parent || parent->links == 0) return false;
  AMPHORA_ASSIGN(Slot slot, ReadSlot(tx, directory, item.path.file, Lock::kExclusive));
  if (!slot.file) return false;
  AMPHORA_ASSIGN(const auto file, tx.FindInode(slot.file->inode, Lock::kExclusive));
  if (file && file->unpublished) return false;
  if (parent->implicit && !item.hint_implicit) {
    AMPHORA_ASSIGN(parent, tx.FindInode(directory, Lock::kExclusive));
  }
  AMPHORA_TRY(CheckCondition(tx, item, slot.file->inode));
  AMPHORA_TRY(DropFile(tx, slot));
  if (parent->implicit) AMPHORA_TRY(VanishIfEmpty(tx, directory));
  return true;
}

Result<bool> Deletion::DeleteDirectory(Tx& tx, InodeId directory, const Item& item) {
  AMPHORA_ASSIGN(auto record, tx.FindInode(directory, Lock::kExclusive));
  if (!record || record->links == 0) return false;
  AMPHORA_ASSIGN(Slot slot, ReadSlot(tx, directory, "", Lock::kExclusive));
  const bool existed = slot.file.has_value() || !record->implicit;
  if (!existed) return false;
  AMPHORA_TRY(CheckCondition(tx, item, slot.file ? slot.file->inode : directory));
  if (slot.file) AMPHORA_TRY(DropFile(tx, slot));
  if (!record->implicit) {
    record->implicit = true;
    record->object = ObjectMetadata();
    record->ForgetDigests();
    AMPHORA_TRY(tx.PutInode(directory, *record));
  }
  AMPHORA_TRY(VanishIfEmpty(tx, directory));
  return true;
}

Result<bool> Deletion::DeleteItemOf(Tx& tx, const Item& item) {
  if (item.path.directory_key && item.path.directories.empty()) return false;
  AMPHORA_ASSIGN(const auto directory, WalkDirectories(tx, bucket_, item.path.directories));
  if (!directory) return false;
  if (item.path.directory_key) return DeleteDirectory(tx, *directory, item);
  return DeleteFile(tx, *directory, item);
}

Status Deletion::Transact(Tx& tx) {
  displaced_.Begin();
  emptied_.clear();
  for (const std::size_t index : order_) {
    Item& item = items_[index];
    item.outcome = {};
    const auto existed = DeleteItemOf(tx, item);
    if (existed.Is(ErrorCode::kPreconditionFailed)) {
      item.outcome.refused = existed.error();
      continue;
    }
    if (!existed.ok()) return existed.error();
    item.outcome.existed = *existed;
    if (!*existed && *item.if_match) item.outcome.refused = Error(ErrorCode::kNotFound);
  }
  return Failpoint("fs.delete.before_commit");
}

Result<DeletedMany> Deletion::Run() {
  DeletedMany deleted;
  AMPHORA_ASSIGN(const bool any, LookAhead());
  if (any) {
    const auto committed = core_.Run(caller_.origin, [this](Tx& tx) { return Transact(tx); });
    if (!committed.ok()) return committed.error();
    AMPHORA_TRY(Failpoint("fs.delete.after_commit"));
    displaced_.Finish();
    std::ranges::sort(emptied_);
    const auto repeated = std::ranges::unique(emptied_);
    emptied_.erase(repeated.begin(), repeated.end());
    for (const InodeId directory : emptied_) VanishUpwards(core_, caller_.origin, directory);
    deleted.ticket = committed->ticket;
  }
  bool all_existed = any;
  for (Item& item : items_) {
    if (!any && *item.if_match) item.outcome.refused = Error(ErrorCode::kNotFound);
    all_existed = all_existed && item.outcome.existed;
    deleted.outcomes.push_back(item.outcome);
  }
  // That something was not there, or was another, rests on what others committed (hazards 5.9); and
  // the vanishing is part of what the answer says.
  if (!all_existed || !emptied_.empty()) deleted.ticket = core_.store->LastTicket();
  return deleted;
}

}  // namespace

Result<DeletedMany> DeleteObjects(Core& core, const Caller& caller, BucketId bucket,
                                  const std::vector<DeleteItem>& items) {
  return Deletion(core, caller, bucket, items).Run();
}

Result<DeleteOutcome> Objects::Delete(const Caller& caller, BucketId bucket, std::string_view key,
                                      const DeleteCondition& if_match) {
  if (key.empty()) return Error(ErrorCode::kBadName, "a key has at least one byte");
  AMPHORA_ASSIGN(const DeletedMany deleted,
                 DeleteObjects(core_, caller, bucket, {DeleteItem{key, if_match}}));
  const DeletedMany::Outcome& outcome = deleted.outcomes[0];
  if (!outcome.refused) return DeleteOutcome{outcome.existed, deleted.ticket};
  AMPHORA_TRY(core_.store->WaitDurable(deleted.ticket));
  return *outcome.refused;
}

Result<Ticket> Objects::DeleteMany(const Caller& caller, BucketId bucket,
                                   std::vector<DeleteManyItem>& items) {
  Ticket ticket = 0;
  std::vector<DeleteManyItem*> pending;
  for (DeleteManyItem& item : items) {
    item.error.reset();
    if (item.key.empty()) {
      item.error = Error(ErrorCode::kBadName, "a key has at least one byte");
    } else {
      pending.push_back(&item);
    }
  }
  for (std::size_t begin = 0; begin < pending.size(); begin += kKeysPerTransaction) {
    const std::size_t end = std::min(pending.size(), begin + kKeysPerTransaction);
    std::vector<DeleteItem> batch;
    for (std::size_t i = begin; i < end; ++i) {
      batch.push_back({pending[i]->key, pending[i]->if_match});
    }
    const auto deleted = DeleteObjects(core_, caller, bucket, batch);
    if (deleted.ok()) ticket = std::max(ticket, deleted->ticket);
    for (std::size_t i = begin; i < end; ++i) {
      pending[i]->error = deleted.ok() ? deleted->outcomes[i - begin].refused : deleted.error();
    }
  }
  return ticket;
}

}  // namespace amphora::fs
