#include "fs/ops/s3_xattrs.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fs/core.h"
#include "fs/data/live.h"
#include "fs/ops/end_directory.h"

namespace amphora::fs {
namespace {

constexpr std::string_view kUserPrefix = "user.s3.meta.";
constexpr std::size_t kMostUserBytes = 2 << 10;    // S3: working with object metadata
constexpr std::size_t kMostHeaderBytes = 1 << 10;  // of one standard header's value

using Header = std::pair<std::string_view, std::string ObjectMetadata::*>;
constexpr std::array<Header, 6> kHeaders = {
    {{"user.s3.content-type", &ObjectMetadata::content_type},
     {"user.s3.content-encoding", &ObjectMetadata::content_encoding},
     {"user.s3.content-language", &ObjectMetadata::content_language},
     {"user.s3.content-disposition", &ObjectMetadata::content_disposition},
     {"user.s3.cache-control", &ObjectMetadata::cache_control},
     {"user.s3.expires", &ObjectMetadata::expires}}};

std::string ObjectMetadata::*HeaderOf(std::string_view name) {
  for (const auto& [known, field] : kHeaders) {
    if (known == name) return field;
  }
  return nullptr;
}

// A header's name in lower case (RFC 9110 section 5.6.2: token), as S3 stores it.
bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

// A header's value: printable, without blanks at its ends, which would not come back.
bool IsHeaderValue(std::string_view value) {
  const bool printable = std::ranges::all_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
  return printable && !value.empty() && value.front() != ' ' && value.back() != ' ';
}

Status ChangeUser(ObjectMetadata& metadata, const S3XattrChange& change) {
  const std::string_view name = change.name.substr(kUserPrefix.size());
  if (!IsHeaderName(name)) return Error(ErrorCode::kInvalidArgument, "no name of a header");
  std::erase_if(metadata.user, [name](const auto& known) { return known.first == name; });
  if (!change.value) return Ok();
  metadata.user.emplace_back(name, *change.value);
  std::size_t bytes = 0;
  for (const auto& [known, value] : metadata.user) bytes += known.size() + value.size();
  if (bytes > kMostUserBytes) return Error(ErrorCode::kNoSpace, "S3 keeps 2 KiB of metadata");
  return Ok();
}

Status ChangeMetadata(ObjectMetadata& metadata, const S3XattrChange& change) {
  if (change.value && !IsHeaderValue(*change.value)) {
    return Error(ErrorCode::kInvalidArgument, "no value of a header");
  }
  std::string ObjectMetadata::*const header = HeaderOf(change.name);
  if (header == nullptr) return ChangeUser(metadata, change);
  if (change.value && change.value->size() > kMostHeaderBytes) {
    return Error(ErrorCode::kNoSpace, "a header's value is at most 1 KiB");
  }
  metadata.*header = change.value.value_or("");
  return Ok();
}

// Files and directories have user attributes (xattr(7)), and S3 shows those of a bucket.
bool HasMetadata(InodeId inode, const InodeRecord& record) {
  const bool kind = record.kind == FileKind::kRegular || record.kind == FileKind::kDirectory;
  return kind && record.bucket.valid() && record.bucket.value() != inode.value();
}

}  // namespace

std::optional<std::string> GetS3Metadata(const ObjectMetadata& metadata, std::string_view name) {
  if (std::string ObjectMetadata::*const header = HeaderOf(name)) {
    const std::string& value = metadata.*header;
    return value.empty() ? std::nullopt : std::optional(value);
  }
  if (!name.starts_with(kUserPrefix)) return std::nullopt;
  for (const auto& [known, value] : metadata.user) {
    if (known == name.substr(kUserPrefix.size())) return value;
  }
  return std::nullopt;
}

std::vector<std::string> ListS3Metadata(const ObjectMetadata& metadata) {
  std::vector<std::string> names;
  for (const auto& [name, field] : kHeaders) {
    if (!(metadata.*field).empty()) names.emplace_back(name);
  }
  for (const auto& [name, value] : metadata.user) {
    names.push_back(std::string(kUserPrefix) + name);
  }
  return names;
}

Status SetS3Xattr(Core& core, const Caller& caller, InodeId inode, const S3XattrChange& change) {
  if (HeaderOf(change.name) == nullptr && !change.name.starts_with(kUserPrefix)) {
    return Error(ErrorCode::kNotPermitted, "user.s3: S3 decides on this");
  }
  AMPHORA_TRY(RestoreRemoved(core, caller.origin, inode));
  const auto committed = core.Run(caller.origin, [&](Tx& tx) -> Status {
    AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(inode, Lock::kExclusive));
    if (!HasMetadata(inode, record)) return Error(ErrorCode::kNotPermitted, "no object of S3");
    const bool known = GetS3Metadata(record.object, change.name).has_value();
    if (known && change.mode == XattrMode::kCreate) return Error(ErrorCode::kExists);
    if (!known && change.mode == XattrMode::kReplace) return Error(ErrorCode::kNoAttribute);
    AMPHORA_TRY(ChangeMetadata(record.object, change));
    record.last_modified = tx.now();
    return tx.PutPosixChange(inode, record);
  });
  if (!committed.ok()) return committed.error();
  core.live->NoteCommit(inode, committed->ticket);
  return Ok();
}

}  // namespace amphora::fs
