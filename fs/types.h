// The words of the engine's face: ids, attributes, names, callers. Values; thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "meta/base/clock.h"
#include "meta/base/result.h"
#include "meta/base/strong_id.h"

namespace amphora::fs {

using InodeId = StrongId<struct InodeTag>;
using BlobId = StrongId<struct BlobTag>;
using VolumeId = StrongId<struct VolumeTag>;  // equals the volume directory's inode id
using BucketId = StrongId<struct BucketTag>;  // equals the bucket's root directory's inode id

// The directory whose entries are the volumes; never reused, never removed.
inline constexpr InodeId kStoreRoot{1};

// Who made a change, so that a mount does not invalidate what its own kernel already knows.
using OriginId = StrongId<struct OriginTag>;  // 0: S3 or the engine itself

// A log position; see meta/kv.h. wait for it with Engine::WaitDurable or WhenSettled.
using Ticket = std::uint64_t;

inline constexpr std::size_t kMaxKeyBytes = 1024;  // of an S3 key (S3: object key naming)
inline constexpr std::size_t kMaxNameBytes = 255;  // of a name made through the mount (NAME_MAX)
inline constexpr std::size_t kMaxComponentBytes = 1024;    // of a name that a PUT can make
inline constexpr std::size_t kMaxSymlinkBytes = 4095;      // PATH_MAX without the NUL
inline constexpr std::size_t kMaxXattrBytes = 64 << 10;    // XATTR_SIZE_MAX
inline constexpr std::uint64_t kMaxPutBytes = 5ull << 30;  // one S3 PUT (S3: uploading objects)

enum class FileKind : std::uint8_t {
  kRegular = 1,
  kDirectory = 2,
  kSymlink = 3,
  kFifo = 4,
  kSocket = 5,
  kCharacterDevice = 6,
  kBlockDevice = 7,
};

// stat(2)'s answer.
struct Attributes {
  InodeId inode;
  FileKind kind = FileKind::kRegular;
  std::uint32_t permissions = 0;  // 0 to 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t links = 0;
  std::uint64_t size = 0;       // bytes
  std::uint64_t allocated = 0;  // bytes held (st_blocks * 512)
  std::uint64_t device = 0;     // of a device node: dev_t
  Time accessed;
  Time modified;
  Time changed;
  Time born;
  // False while the kernel must not cache these attributes or this name: a writable passthrough
  // handle is open (hazards 1.3), or another face may change them at this moment (hazards 3.2).
  bool cacheable = true;
};

// Who asks. The kernel checks permission bits (default_permissions); the engine needs the caller
// for ownership of new files, setgid inheritance and the rules that the kernel leaves to it.
struct Caller {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  OriginId origin;
  // Of who makes something: taken from its permissions, unless its directory has a default access
  // control list.
  std::uint32_t umask = 0;
};

// Which groups a caller is in, for the rules about setgid.
struct Membership {
  bool may_set_ids = false;  // CAP_FSETID
  std::vector<std::uint32_t> groups;
};
// Asked only where the answer counts, since it may cost system calls. Empty: the caller is
// privileged.
using MembershipSource = std::function<Membership()>;

// Volume and bucket names: 3 to 63 bytes of a-z 0-9 . -, beginning and ending with a letter or
// digit, no "..", no IPv4 address (S3: bucket naming rules). kBadName names the rule that is
// broken.
Status CheckBucketName(std::string_view name);
Status CheckVolumeName(std::string_view name);

// 1 to 1024 bytes of UTF-8. kBadName or kNameTooLong. (S3: object key naming)
Status CheckObjectKey(std::string_view key);

}  // namespace amphora::fs
