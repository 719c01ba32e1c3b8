// lookup, readlink, resolving a path; and what a visible name means.
#include "fs/bucket_links.h"
#include "fs/core.h"
#include "fs/files.h"
#include "fs/ops/attributes.h"
#include "fs/ops/visible.h"

namespace amphora::fs {

const DentryRecord* Target::Shown() const {
  if (name.directory) {
    const auto& record = *name.directory ? slot.directory : slot.file;
    return record ? &*record : nullptr;
  }
  // A name that only an escape can show is never meant by its plain form ("." and ".." do not get
  // here).
  if (slot.directory) return &*slot.directory;
  return slot.file ? &*slot.file : nullptr;
}

bool Target::ShowsDirectory() const {
  const DentryRecord* shown = Shown();
  return shown != nullptr && shown->kind == FileKind::kDirectory;
}

Result<Target> ReadTarget(Tx& tx, InodeId parent, std::string_view visible, Lock lock) {
  auto name = DecodeVisibleName(visible);
  if (!name.ok()) return Error(ErrorCode::kNotFound, "escaped name");
  AMPHORA_ASSIGN(Slot slot, ReadSlot(tx, parent, name->raw, lock));
  return Target{std::move(*name), std::move(slot)};
}

Result<Target> ReadTarget(meta::Reader& reader, InodeId parent, std::string_view visible) {
  auto name = DecodeVisibleName(visible);
  if (!name.ok()) return Error(ErrorCode::kNotFound, "escaped name");
  Slot slot{parent, name->raw, std::nullopt, std::nullopt};
  const std::string keys[] = {DentryKey(parent, name->raw, false),
                              DentryKey(parent, name->raw, true)};
  AMPHORA_ASSIGN(const auto rows, reader.MultiGet(Table::kRows, keys));
  if (rows[0]) {
    AMPHORA_ASSIGN(slot.file, DecodeDentry(*rows[0]));
  }
  if (rows[1]) {
    AMPHORA_ASSIGN(slot.directory, DecodeDentry(*rows[1]));
  }
  return Target{std::move(*name), std::move(slot)};
}

Result<Target> ReadNewTarget(Tx& tx, InodeId parent, std::string_view visible, bool directory) {
  AMPHORA_ASSIGN(VisibleName name, DecodeVisibleName(visible));
  if (name.directory && *name.directory != directory) {
    return Error(ErrorCode::kInvalidArgument, "the escaped name is of the other kind");
  }
  if (!name.directory && !IsPlainName(name.raw)) {
    return Error(ErrorCode::kInvalidArgument, "not a name");
  }
  if (name.raw.size() > kMaxNameBytes) return Error(ErrorCode::kNameTooLong);
  AMPHORA_ASSIGN(Slot slot, ReadSlot(tx, parent, name.raw, Lock::kExclusive));
  return Target{std::move(name), std::move(slot)};
}

namespace {

// A name that only a PUT can make is found like any other; where there is none, it is too long to
// be there (path_resolution(7)).
Error NotThere(const VisibleName& name) {
  return Error(name.raw.size() > kMaxNameBytes ? ErrorCode::kNameTooLong : ErrorCode::kNotFound);
}

}  // namespace

Result<Attributes> Files::Lookup(InodeId parent, std::string_view name, InodeId mount_root) {
  meta::Reader& reader = core_.store->Newest();
  // A name that is replaced between the two reads is looked up again: the row of the old inode is
  // gone.
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    AMPHORA_ASSIGN(const Target target, ReadTarget(reader, parent, name));
    const DentryRecord* shown = target.Shown();
    if (shown == nullptr) return NotThere(target.name);
    AMPHORA_ASSIGN(const auto record, ReadInode(reader, shown->inode));
    if (record) return ReadShownAttributes(core_, reader, mount_root, {shown->inode, *record});
  }
  return Error(ErrorCode::kStale, "the name changes faster than it can be read");
}

Result<std::string> Files::ReadLink(InodeId inode, InodeId mount_root) {
  AMPHORA_ASSIGN(const auto record, ReadInode(core_.store->Newest(), inode));
  if (!record) return Error(ErrorCode::kStale, "inode");
  if (record->kind != FileKind::kSymlink)
    return Error(ErrorCode::kInvalidArgument, "not a symlink");
  if (!IsBucketLink(*record)) return record->symlink;
  AMPHORA_ASSIGN(ShownLink shown, ShowLink(core_.store->Newest(), mount_root, inode, *record));
  // Nothing but a race asks a directory for its text: it was a symlink a moment ago.
  if (shown.directory.valid()) return record->symlink;
  return std::move(shown.symlink);
}

Result<Attributes> Files::ResolvePath(std::string_view path) {
  AMPHORA_ASSIGN(Attributes at, GetAttributes(kStoreRoot));
  while (!path.empty()) {
    const auto end = path.find('/');
    const std::string_view component = path.substr(0, end);
    path = end == std::string_view::npos ? "" : path.substr(end + 1);
    if (component.empty()) continue;
    if (at.kind != FileKind::kDirectory) return Error(ErrorCode::kNotDirectory);
    AMPHORA_ASSIGN(at, Lookup(at.inode, component));
    if (at.kind != FileKind::kSymlink) continue;
    meta::Reader& reader = core_.store->Newest();
    AMPHORA_ASSIGN(const auto record, ReadInode(reader, at.inode));
    if (!record) return Error(ErrorCode::kNotFound);
    if (!IsBucketLink(*record)) continue;
    AMPHORA_ASSIGN(const InodeId bucket, TargetOfLink(reader, *record));
    AMPHORA_ASSIGN(at, GetAttributes(bucket));
  }
  return at;
}

}  // namespace amphora::fs
