// xattr(7): real attributes are rows; what S3 knows of a file is shown as user.s3.*. Of these only
// what can be set is listed, so that `rsync -X` round-trips (hazards 4.5): s3_xattrs.h.
#include <ctime>

#include "fs/acl.h"
#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/files.h"
#include "fs/objects.h"
#include "fs/ops/acls.h"
#include "fs/ops/end_directory.h"
#include "fs/ops/s3_xattrs.h"

namespace amphora::fs {
namespace {

constexpr std::string_view kTrustedPrefix = "trusted.";
constexpr std::size_t kMostNameBytes = 255;       // XATTR_NAME_MAX
constexpr std::size_t kMostListBytes = 64 << 10;  // XATTR_LIST_MAX
constexpr std::size_t kMostAttributes = 10'000;

Status CheckName(std::string_view name) {
  if (name.size() > kMostNameBytes) return Error(ErrorCode::kOutOfRange, "xattr name");
  if (IsAclName(name)) return Ok();
  for (const std::string_view prefix : {"user.", "trusted.", "security."}) {
    if (!name.starts_with(prefix)) continue;
    // As Linux' own: a space without a name in it.
    if (name.size() == prefix.size()) return Error(ErrorCode::kInvalidArgument, "xattr name");
    return Ok();
  }
  return Error(ErrorCode::kUnsupported, "xattr namespace");
}

// The whole key of an inode by the names that lead to it; kNoAttribute when it has no name now.
Result<std::string> KeyOf(meta::Reader& reader, InodeId inode, InodeRecord record) {
  std::string key = record.kind == FileKind::kDirectory ? "/" : "";
  AMPHORA_ASSIGN(const auto dentry, ReadDentry(reader, record.parent, record.name,
                                               record.kind == FileKind::kDirectory));
  if (!dentry || dentry->inode != inode) return Error(ErrorCode::kNoAttribute, "no name now");
  for (;;) {
    key.insert(0, record.name);
    if (record.parent.value() == record.bucket.value()) return key;
    AMPHORA_ASSIGN(auto parent, ReadInode(reader, record.parent));
    if (!parent) return Error(ErrorCode::kNoAttribute, "no name now");
    record = std::move(*parent);
    key.insert(0, "/");
  }
}

std::string IsoTime(Time time) {
  const timespec value = time.ToTimespec();
  tm parts{};
  gmtime_r(&value.tv_sec, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text, length);
}

Result<std::string> SyntheticXattr(Core& core, InodeId inode, const InodeRecord& record,
                                   std::string_view name) {
  const Error none(ErrorCode::kNoAttribute);
  if (!record.bucket.valid() || inode.value() == record.bucket.value()) return none;
  if (name == "user.s3.key") return KeyOf(core.store->Newest(), inode, record);
  if (record.kind == FileKind::kDirectory && record.implicit) return none;
  ObjectInfo info;
  info.inode = inode;
  info.size = record.size;
  info.etag = EtagText(inode, record);
  info.last_modified = record.last_modified;
  info.metadata = record.object;
  info.checksum = record.checksum;
  core.live->Overlay(info);
  if (name == "user.s3.etag") return info.etag;
  if (name == "user.s3.last-modified") return IsoTime(info.last_modified);
  auto value = GetS3Metadata(info.metadata, name);
  return value ? Result<std::string>(std::move(*value)) : Result<std::string>(none);
}

Status CheckRoom(Tx& tx, InodeId inode, std::string_view name) {
  AMPHORA_ASSIGN(const auto rows, tx.kv().Scan(Table::kRows, RangeOf(RowKind::kXattr, inode),
                                               {.limit = kMostAttributes}));
  std::size_t bytes = name.size() + 1;
  for (const meta::Row& row : rows) bytes += DecodeTextOf(row.key).size() + 1;
  if (rows.size() >= kMostAttributes || bytes > kMostListBytes) {
    return Error(ErrorCode::kNoSpace, "too many xattrs");
  }
  return Ok();
}

}  // namespace

Result<std::string> Files::GetXattr(InodeId inode, std::string_view name) {
  meta::Reader& reader = core_.store->Newest();
  AMPHORA_ASSIGN(const InodeRecord record, ReadHeldInode(core_, reader, inode));
  if (name.starts_with(kS3Prefix)) return SyntheticXattr(core_, inode, record, name);
  AMPHORA_TRY(CheckName(name));
  if (!record.has_xattrs) return Error(ErrorCode::kNoAttribute);
  AMPHORA_ASSIGN(auto value, reader.Get(Table::kRows, XattrKey(inode, name)));
  if (!value) return Error(ErrorCode::kNoAttribute);
  return std::move(*value);
}

Result<std::vector<std::string>> Files::ListXattrs(const Caller& caller, InodeId inode) {
  AMPHORA_ASSIGN(const InodeRecord record, ReadHeldInode(core_, core_.store->Newest(), inode));
  std::vector<std::string> names;
  if (record.bucket.valid()) names = ListS3Metadata(record.object);
  if (!record.has_xattrs) return names;
  AMPHORA_ASSIGN(const auto rows,
                 core_.store->Newest().Scan(Table::kRows, RangeOf(RowKind::kXattr, inode),
                                            {.limit = kMostAttributes}));
  names.reserve(names.size() + rows.size());
  for (const meta::Row& row : rows) {
    const std::string_view name = DecodeTextOf(row.key);
    if (caller.uid == 0 || !name.starts_with(kTrustedPrefix)) names.emplace_back(name);
  }
  return names;
}

Status Files::SetXattr(const Caller& caller, InodeId inode, std::string_view name,
                       std::string_view value, XattrMode mode, const MembershipSource& member) {
  if (name.starts_with(kS3Prefix)) return SetS3Xattr(core_, caller, inode, {name, value, mode});
  AMPHORA_TRY(CheckName(name));
  if (value.size() > kMaxXattrBytes) return Error(ErrorCode::kRangeTooLarge, "xattr value");
  AMPHORA_TRY(RestoreRemoved(core_, caller.origin, inode));
  const auto committed = core_.Run(caller.origin, [&](Tx& tx) -> Status {
    AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
    const std::string key = XattrKey(inode, name);
    AMPHORA_ASSIGN(const auto old, tx.kv().Get(Table::kRows, key));
    if (old && mode == XattrMode::kCreate) return Error(ErrorCode::kExists);
    if (!old && mode == XattrMode::kReplace) return Error(ErrorCode::kNoAttribute);
    if (!old) AMPHORA_TRY(CheckRoom(tx, inode, name));
    if (IsAclName(name)) {
      AMPHORA_TRY(SetAcl(tx, inode, record, name, value, member));
    } else {
      AMPHORA_TRY(tx.kv().PutFresh(Table::kRows, key, value));
      record.has_xattrs = true;
    }
    return tx.PutPosixChange(inode, record);
  });
  if (committed.Is(ErrorCode::kNotFound)) return Error(ErrorCode::kStale, "inode");
  if (!committed.ok()) return committed.error();
  core_.live->NoteCommit(inode, committed->ticket);
  return Ok();
}

Status Files::RemoveXattr(const Caller& caller, InodeId inode, std::string_view name) {
  if (name.starts_with(kS3Prefix)) {
    return SetS3Xattr(core_, caller, inode, {name, std::nullopt, XattrMode::kReplace});
  }
  AMPHORA_TRY(CheckName(name));
  AMPHORA_TRY(RestoreRemoved(core_, caller.origin, inode));
  const auto committed = core_.Run(caller.origin, [&](Tx& tx) -> Status {
    AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
    const std::string key = XattrKey(inode, name);
    AMPHORA_ASSIGN(const auto old, tx.kv().Get(Table::kRows, key));
    if (!old && IsAclName(name)) return Ok();  // none is none
    if (!old) return Error(ErrorCode::kNoAttribute);
    AMPHORA_TRY(tx.kv().EraseOwned(Table::kRows, key));
    AMPHORA_ASSIGN(const auto left,
                   tx.kv().Scan(Table::kRows, RangeOf(RowKind::kXattr, inode), {.limit = 1}));
    record.has_xattrs = !left.empty();
    return tx.PutPosixChange(inode, record);
  });
  if (committed.Is(ErrorCode::kNotFound)) return Error(ErrorCode::kStale, "inode");
  if (!committed.ok()) return committed.error();
  core_.live->NoteCommit(inode, committed->ticket);
  return Ok();
}

}  // namespace amphora::fs
