#include "fs/data/privileges.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

namespace amphora::fs {
namespace {

bool MayKeep(const Membership& member, std::uint32_t gid) {
  return member.may_set_ids || std::ranges::find(member.groups, gid) != member.groups.end();
}

}  // namespace

std::uint32_t TakenPrivileges(std::uint32_t permissions, std::uint32_t gid, Privileges privileges,
                              const MembershipSource* membership) {
  const std::uint32_t bits = permissions & (S_ISUID | S_ISGID);
  if (bits == 0 || privileges == Privileges::kKept) return 0;
  // Nobody to ask is a privileged one (fs/types.h).
  Membership member{.may_set_ids = true, .groups = {}};
  const bool ask =
      privileges == Privileges::kUnknown || ((bits & S_ISGID) != 0 && (permissions & S_IXGRP) == 0);
  if (ask && membership != nullptr && *membership) member = (*membership)();
  if (privileges == Privileges::kUnknown && member.may_set_ids) return 0;
  std::uint32_t taken = bits & S_ISUID;
  const bool runs = (permissions & S_IXGRP) != 0;
  if ((bits & S_ISGID) != 0 && (runs || !MayKeep(member, gid))) taken |= S_ISGID;
  return taken;
}

}  // namespace amphora::fs
