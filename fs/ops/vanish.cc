#include "fs/ops/vanish.h"

#include "fs/core.h"
#include "fs/entries.h"
#include "fs/ops/end_directory.h"
#include "meta/base/log.h"
#include "meta/base/log_limit.h"

namespace amphora::fs {
namespace {

struct Step {
  bool vanished = false;
  InodeId parent;  // where to go on
};

// One level: the directory's row exclusively, the proof that it is empty, then its name.
Result<Step> VanishOne(Core& core, OriginId origin, InodeId directory) {
  DirectoryEnd end(core, origin);
  const auto committed = core.Run(origin, [&](Tx& tx) -> Result<Step> {
    end.Begin();
    AMPHORA_TRY(tx.kv().Erase(Table::kRows, VanishingKey(directory)));
    AMPHORA_ASSIGN(auto found, tx.FindInode(directory, Lock::kExclusive));
    if (!found || found->links == 0 || !found->implicit) return Step{};
    auto empty = CheckEmptyExclusively(tx, directory);
    if (empty.Is(ErrorCode::kNotEmpty)) return Step{};
    if (!empty.ok()) return empty.error();
    AMPHORA_ASSIGN(Slot slot, ReadSlot(tx, found->parent, found->name, Lock::kExclusive));
    if (!slot.directory || slot.directory->inode != directory) {
      return Error(ErrorCode::kConflict, "renamed meanwhile");
    }
    AMPHORA_TRY(RemoveEntry(tx, slot, found->bucket, true));
    AMPHORA_TRY(tx.AddUsage(found->bucket, 0, -1, 0));
    // The parent may be empty now as well.
    AMPHORA_TRY(tx.kv().Put(Table::kRows, VanishingKey(found->parent), ""));
    const InodeId parent = found->parent;
    AMPHORA_TRY(end.Drop(tx, directory, std::move(*empty)));
    return Step{true, parent};
  });
  if (!committed.ok()) return committed.error();
  end.Finish();
  return committed->value;
}

}  // namespace

void VanishUpwards(Core& core, OriginId origin, InodeId directory) {
  for (;;) {
    const auto step = VanishOne(core, origin, directory);
    if (!step.ok()) {
      std::string line = "event=vanish_postponed";
      AppendField(line, "directory", directory.value());
      AppendField(line, "error", step.error().ToString());
      LogLimited(LogLevel::kWarning, "event=vanish_postponed", std::move(line));
      return;
    }
    if (!step->vanished) return;
    directory = step->parent;
  }
}

Status VanishAll(Core& core) {
  AMPHORA_ASSIGN(
      const auto rows,
      core.store->Newest().Scan(Table::kRows, RangeOf(RowKind::kVanishing), {.limit = 100'000}));
  for (const meta::Row& row : rows) {
    AMPHORA_ASSIGN(const InodeId directory, DecodeInodeOf(row.key));
    VanishUpwards(core, OriginId(), directory);
  }
  return Ok();
}

}  // namespace amphora::fs
