// POSIX access control lists (acl(5)), as the kernel hands them over in the xattrs
// system.posix_acl_access and system.posix_acl_default. The kernel decides by them; the engine
// keeps them, keeps them and the mode one, and lets new files inherit. Pure functions over values.
//
// The bytes (linux/posix_acl_xattr.h), little-endian: version 2 in 4 bytes, then an entry of 8
// bytes each: tag (2), permissions (2), id (4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "meta/base/result.h"

namespace amphora::fs {

inline constexpr std::string_view kAccessAcl = "system.posix_acl_access";
inline constexpr std::string_view kDefaultAcl = "system.posix_acl_default";
inline bool IsAclName(std::string_view name) { return name == kAccessAcl || name == kDefaultAcl; }

// Stored and given as they are: the values never change.
enum class AclTag : std::uint16_t {
  kOwner = 0x01,
  kUser = 0x02,
  kGroup = 0x04,
  kNamedGroup = 0x08,
  kMask = 0x10,
  kOther = 0x20,
};

struct AclEntry {
  AclTag tag = AclTag::kOwner;
  std::uint16_t permissions = 0;  // 0 to 7
  std::uint32_t id = 0;           // of kUser and kNamedGroup
  friend bool operator==(const AclEntry&, const AclEntry&) = default;
};

class Acl {
 public:
  // kInvalidArgument unless it is whole and valid: one owner, group and others entry each, in
  // order, and a mask when a user or group is named (acl(5)).
  static Result<Acl> Parse(std::string_view bytes);
  std::string Encode() const;

  // The nine permission bits that stat(2) shows with it: the group's are the mask's.
  std::uint32_t mode() const;
  // Says no more than the mode does.
  bool minimal() const { return entries_.size() == 3; }
  const std::vector<AclEntry>& entries() const { return entries_; }

  // chmod(2): owner, mask (or group, without one) and others become the mode's bits.
  void SetMode(std::uint32_t permissions);
  // From a directory's default to a new file's access list: no bit beyond what open(2) or mkdir(2)
  // asked for. The umask does not count then.
  void Restrict(std::uint32_t permissions);

 private:
  AclEntry& First(AclTag tag);
  const AclEntry* Find(AclTag tag) const;
  // The entry that the mode's group bits mean.
  AclEntry& GroupClass();

  std::vector<AclEntry> entries_;
};

}  // namespace amphora::fs
