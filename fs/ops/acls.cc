#include "fs/ops/acls.h"

#include <sys/stat.h>

#include <algorithm>

#include "fs/acl.h"

namespace amphora::fs {
namespace {

constexpr std::uint32_t kModeBits = 0777;

Result<std::optional<Acl>> ReadAcl(Tx& tx, InodeId inode, const InodeRecord& record,
                                   std::string_view name) {
  if (!record.has_xattrs) return std::optional<Acl>();
  AMPHORA_ASSIGN(const auto bytes, tx.kv().Get(Table::kRows, XattrKey(inode, name)));
  if (!bytes) return std::optional<Acl>();
  AMPHORA_ASSIGN(Acl acl, Acl::Parse(*bytes));
  return std::optional<Acl>(std::move(acl));
}

Status PutAcl(Tx& tx, InodeId inode, InodeRecord& record, std::string_view name, const Acl& acl) {
  record.has_xattrs = true;
  return tx.kv().PutFresh(Table::kRows, XattrKey(inode, name), acl.Encode());
}

Status EraseAcl(Tx& tx, InodeId inode, InodeRecord& record, std::string_view name) {
  if (!record.has_xattrs) return Ok();
  AMPHORA_TRY(tx.kv().EraseOwned(Table::kRows, XattrKey(inode, name)));
  AMPHORA_ASSIGN(const auto left,
                 tx.kv().Scan(Table::kRows, RangeOf(RowKind::kXattr, inode), {.limit = 1}));
  record.has_xattrs = !left.empty();
  return Ok();
}

bool Belongs(const MembershipSource& source, std::uint32_t gid) {
  if (!source) return true;
  const Membership member = source();
  return member.may_set_ids || std::ranges::find(member.groups, gid) != member.groups.end();
}

}  // namespace

Status SetPermissions(Tx& tx, InodeId inode, InodeRecord& record, std::uint32_t permissions) {
  record.permissions = permissions & 07777;
  AMPHORA_ASSIGN(auto acl, ReadAcl(tx, inode, record, kAccessAcl));
  if (!acl) return Ok();
  acl->SetMode(permissions);
  return PutAcl(tx, inode, record, kAccessAcl, *acl);
}

Status SetAcl(Tx& tx, InodeId inode, InodeRecord& record, std::string_view name,
              std::string_view value, const MembershipSource& member) {
  if (record.kind == FileKind::kSymlink) {
    return Error(ErrorCode::kUnsupported, "access control list of a symlink");
  }
  AMPHORA_ASSIGN(const Acl acl, Acl::Parse(value));
  if (name == kDefaultAcl) {
    if (record.kind != FileKind::kDirectory) {
      return Error(ErrorCode::kAccessDenied, "default access control list of a file");
    }
    return PutAcl(tx, inode, record, name, acl);
  }
  record.permissions = (record.permissions & ~kModeBits) | acl.mode();
  if ((record.permissions & S_ISGID) != 0 && !Belongs(member, record.gid)) {
    record.permissions &= ~static_cast<std::uint32_t>(S_ISGID);
  }
  if (acl.minimal()) return EraseAcl(tx, inode, record, name);
  return PutAcl(tx, inode, record, name, acl);
}

Status InheritPermissions(Tx& tx, const NewPermissions& from, InodeId inode, InodeRecord& record) {
  if (record.kind == FileKind::kSymlink) return Ok();
  AMPHORA_ASSIGN(auto acl, ReadAcl(tx, from.parent, from.parent_record, kDefaultAcl));
  if (!acl) {
    record.permissions &= ~(from.umask & kModeBits);
    return Ok();
  }
  if (record.kind == FileKind::kDirectory) {
    AMPHORA_TRY(PutAcl(tx, inode, record, kDefaultAcl, *acl));
  }
  acl->Restrict(record.permissions);
  record.permissions = (record.permissions & ~kModeBits) | acl->mode();
  if (acl->minimal()) return Ok();
  return PutAcl(tx, inode, record, kAccessAcl, *acl);
}

}  // namespace amphora::fs
