#include "fs/acl.h"

#include <algorithm>

namespace amphora::fs {
namespace {

constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kEntryBytes = 8;
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kNoId = UINT32_MAX;  // of entries that name nobody
constexpr std::uint16_t kAll = 07;

std::uint32_t Read(std::string_view bytes, std::size_t offset, std::size_t width) {
  std::uint32_t value = 0;
  for (std::size_t i = width; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  }
  return value;
}

void Append(std::string& bytes, std::uint32_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
}

bool IsNamed(AclTag tag) { return tag == AclTag::kUser || tag == AclTag::kNamedGroup; }

bool IsTag(std::uint32_t value) {
  switch (static_cast<AclTag>(value)) {
    case AclTag::kOwner:
    case AclTag::kUser:
    case AclTag::kGroup:
    case AclTag::kNamedGroup:
    case AclTag::kMask:
    case AclTag::kOther:
      return true;
  }
  return false;
}

std::uint16_t Bits(std::uint32_t permissions, unsigned shift) {
  return static_cast<std::uint16_t>(permissions >> shift & kAll);
}

}  // namespace

const AclEntry* Acl::Find(AclTag tag) const {
  const auto found =
      std::ranges::find_if(entries_, [&](const AclEntry& entry) { return entry.tag == tag; });
  return found == entries_.end() ? nullptr : &*found;
}

AclEntry& Acl::First(AclTag tag) { return const_cast<AclEntry&>(*Find(tag)); }

AclEntry& Acl::GroupClass() {
  return Find(AclTag::kMask) != nullptr ? First(AclTag::kMask) : First(AclTag::kGroup);
}

Result<Acl> Acl::Parse(std::string_view bytes) {
  const Error invalid(ErrorCode::kInvalidArgument, "access control list");
  const bool whole =
      bytes.size() > kHeaderBytes && (bytes.size() - kHeaderBytes) % kEntryBytes == 0;
  if (!whole || Read(bytes, 0, 4) != kVersion) return invalid;
  Acl acl;
  bool names = false;
  for (std::size_t at = kHeaderBytes; at < bytes.size(); at += kEntryBytes) {
    const std::uint32_t tag = Read(bytes, at, 2);
    const std::uint32_t permissions = Read(bytes, at + 2, 2);
    if (!IsTag(tag) || permissions > kAll) return invalid;
    AclEntry entry{static_cast<AclTag>(tag), static_cast<std::uint16_t>(permissions), 0};
    const bool named = IsNamed(entry.tag);
    if (named) entry.id = Read(bytes, at + 4, 4);
    if (named && entry.id == kNoId) return invalid;
    names |= named;
    // Tags rise; only who is named may come several times.
    if (!acl.entries_.empty()) {
      const AclTag last = acl.entries_.back().tag;
      if (entry.tag < last || (entry.tag == last && !named)) return invalid;
    }
    acl.entries_.push_back(entry);
  }
  for (const AclTag tag : {AclTag::kOwner, AclTag::kGroup, AclTag::kOther}) {
    if (acl.Find(tag) == nullptr) return invalid;
  }
  if (names && acl.Find(AclTag::kMask) == nullptr) return invalid;
  return acl;
}

std::string Acl::Encode() const {
  std::string bytes;
  bytes.reserve(kHeaderBytes + entries_.size() * kEntryBytes);
  Append(bytes, kVersion, 4);
  for (const AclEntry& entry : entries_) {
    Append(bytes, static_cast<std::uint32_t>(entry.tag), 2);
    Append(bytes, entry.permissions, 2);
    Append(bytes, IsNamed(entry.tag) ? entry.id : kNoId, 4);
  }
  return bytes;
}

std::uint32_t Acl::mode() const {
  const AclEntry* mask = Find(AclTag::kMask);
  const AclEntry* group = mask != nullptr ? mask : Find(AclTag::kGroup);
  return static_cast<std::uint32_t>(Find(AclTag::kOwner)->permissions << 6 |
                                    group->permissions << 3 | Find(AclTag::kOther)->permissions);
}

void Acl::SetMode(std::uint32_t permissions) {
  First(AclTag::kOwner).permissions = Bits(permissions, 6);
  GroupClass().permissions = Bits(permissions, 3);
  First(AclTag::kOther).permissions = Bits(permissions, 0);
}

void Acl::Restrict(std::uint32_t permissions) {
  First(AclTag::kOwner).permissions &= Bits(permissions, 6);
  GroupClass().permissions &= Bits(permissions, 3);
  First(AclTag::kOther).permissions &= Bits(permissions, 0);
}

}  // namespace amphora::fs
