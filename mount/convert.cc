#include "mount/convert.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cstdio>
#include <cstring>

namespace amphora::mount {
namespace {

constexpr std::uint32_t kPermissionBits = 07777;
// The kernel's own mark of an open by execve(2), which it passes on.
constexpr int kOpenToExecute = 0x20;
constexpr std::uint64_t kSector = 512;  // st_blocks counts these, whatever the disk does

void SetTime(Time time, struct statx_timestamp& out) {
  const timespec value = time.ToTimespec();
  out.tv_sec = value.tv_sec;
  out.tv_nsec = static_cast<std::uint32_t>(value.tv_nsec);
}

}  // namespace

mode_t ToMode(fs::FileKind kind, std::uint32_t permissions) {
  const mode_t bits = permissions & kPermissionBits;
  switch (kind) {
    case fs::FileKind::kRegular:
      return S_IFREG | bits;
    case fs::FileKind::kDirectory:
      return S_IFDIR | bits;
    case fs::FileKind::kSymlink:
      return S_IFLNK | bits;
    case fs::FileKind::kFifo:
      return S_IFIFO | bits;
    case fs::FileKind::kSocket:
      return S_IFSOCK | bits;
    case fs::FileKind::kCharacterDevice:
      return S_IFCHR | bits;
    case fs::FileKind::kBlockDevice:
      return S_IFBLK | bits;
  }
  return S_IFREG | bits;
}

std::optional<fs::FileKind> ToKind(mode_t mode) {
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
      return fs::FileKind::kRegular;
    case S_IFDIR:
      return fs::FileKind::kDirectory;
    case S_IFLNK:
      return fs::FileKind::kSymlink;
    case S_IFIFO:
      return fs::FileKind::kFifo;
    case S_IFSOCK:
      return fs::FileKind::kSocket;
    case S_IFCHR:
      return fs::FileKind::kCharacterDevice;
    case S_IFBLK:
      return fs::FileKind::kBlockDevice;
    default:
      return std::nullopt;
  }
}

struct stat ToStat(const fs::Attributes& attributes) {
  struct stat out = {};
  out.st_ino = attributes.inode.value();
  out.st_mode = ToMode(attributes.kind, attributes.permissions);
  out.st_nlink = attributes.links;
  out.st_uid = attributes.uid;
  out.st_gid = attributes.gid;
  out.st_rdev = attributes.device;
  out.st_size = static_cast<off_t>(attributes.size);
  out.st_blksize = 4096;
  out.st_blocks = static_cast<blkcnt_t>((attributes.allocated + kSector - 1) / kSector);
  out.st_atim = attributes.accessed.ToTimespec();
  out.st_mtim = attributes.modified.ToTimespec();
  out.st_ctim = attributes.changed.ToTimespec();
  return out;
}

void ToStatx(const fs::Attributes& attributes, struct statx* out) {
  const struct stat basic = ToStat(attributes);
  *out = {};
  out->stx_mask = STATX_BASIC_STATS | STATX_BTIME;
  out->stx_blksize = static_cast<std::uint32_t>(basic.st_blksize);
  out->stx_nlink = static_cast<std::uint32_t>(basic.st_nlink);
  out->stx_uid = basic.st_uid;
  out->stx_gid = basic.st_gid;
  out->stx_mode = static_cast<std::uint16_t>(basic.st_mode);
  out->stx_ino = basic.st_ino;
  out->stx_size = static_cast<std::uint64_t>(basic.st_size);
  out->stx_blocks = static_cast<std::uint64_t>(basic.st_blocks);
  out->stx_rdev_major = major(basic.st_rdev);
  out->stx_rdev_minor = minor(basic.st_rdev);
  SetTime(attributes.accessed, out->stx_atime);
  SetTime(attributes.modified, out->stx_mtime);
  SetTime(attributes.changed, out->stx_ctime);
  SetTime(attributes.born, out->stx_btime);
}

struct statvfs ToStatvfs(const fs::Usage& usage) {
  struct statvfs out = {};
  out.f_bsize = out.f_frsize = usage.block_bytes;
  out.f_blocks = usage.blocks;
  out.f_bfree = usage.blocks_free;
  out.f_bavail = usage.blocks_available;
  out.f_files = usage.files;
  out.f_ffree = out.f_favail = usage.files_free;
  out.f_namemax = fs::kMaxNameBytes;
  return out;
}

fs::Attributes Squashed(const MountOptions& options, fs::Attributes attributes) {
  if (options.uid) attributes.uid = *options.uid;
  if (options.gid) attributes.gid = *options.gid;
  if (attributes.kind != fs::FileKind::kSymlink) attributes.permissions &= ~options.umask;
  return attributes;
}

double AttributeTimeout(const fs::Attributes& attributes) {
  return attributes.cacheable ? kForever : 0;
}

fuse_entry_param ToEntry(const Context& context, const fs::Attributes& attributes) {
  fuse_entry_param entry = {};
  entry.ino = ToNode(context, attributes.inode);
  entry.attr = ToStat(Squashed(context.options, attributes));
  entry.attr_timeout = AttributeTimeout(attributes);
  entry.entry_timeout = context.entry_timeout.load(std::memory_order_relaxed);
  return entry;
}

fuse_entry_param NegativeEntry(const Context& context) {
  fuse_entry_param entry = {};
  entry.entry_timeout = context.entry_timeout.load(std::memory_order_relaxed);
  return entry;
}

fs::Caller ToCaller(fuse_req_t request) {
  const fuse_ctx* caller = fuse_req_ctx(request);
  const MountOptions& options = ContextOf(request).options;
  return {.uid = options.uid.value_or(caller->uid),
          .gid = options.gid.value_or(caller->gid),
          .origin = ContextOf(request).origin,
          .umask = caller->umask};
}

std::uint32_t ToPermissions(const Context& context, mode_t mode) {
  return mode & kPermissionBits & ~context.options.umask;
}

fs::OpenOptions ToOpenOptions(int flags) {
  const int access = flags & O_ACCMODE;
  fs::OpenOptions options;
  options.read = access != O_WRONLY;
  options.write = access != O_RDONLY;
  options.append = (flags & O_APPEND) != 0;
  options.truncate = (flags & O_TRUNC) != 0;
  options.exclusive = (flags & O_EXCL) != 0;
  options.direct = (flags & O_DIRECT) != 0;
  options.sync = (flags & (O_SYNC | O_DSYNC)) != 0;
  options.no_access_time = (flags & O_NOATIME) != 0;
  options.execute = (flags & kOpenToExecute) != 0;
  return options;
}

fs::AttributeChange ToChange(const struct stat& wanted, int which) {
  fs::AttributeChange change;
  if (which & FUSE_SET_ATTR_MODE) change.permissions = wanted.st_mode & kPermissionBits;
  if (which & FUSE_SET_ATTR_UID) change.uid = wanted.st_uid;
  if (which & FUSE_SET_ATTR_GID) change.gid = wanted.st_gid;
  if (which & FUSE_SET_ATTR_SIZE) change.size = static_cast<std::uint64_t>(wanted.st_size);
  change.accessed_now = (which & FUSE_SET_ATTR_ATIME_NOW) != 0;
  change.modified_now = (which & FUSE_SET_ATTR_MTIME_NOW) != 0;
  if ((which & FUSE_SET_ATTR_ATIME) && !change.accessed_now) {
    change.accessed = Time::FromTimespec(wanted.st_atim);
  }
  if ((which & FUSE_SET_ATTR_MTIME) && !change.modified_now) {
    change.modified = Time::FromTimespec(wanted.st_mtim);
  }
  // With KILLPRIV_V2 the kernel asks for it when the unprivileged truncate; that a change of owner
  // clears the bits too (chown(2)) is the engine's rule.
  change.kill_privileges = (which & FUSE_SET_ATTR_KILL_SUID) != 0;
  return change;
}

bool LeavesSquash(const MountOptions& options, const fs::AttributeChange& change) {
  const bool other_user = options.uid && change.uid && *change.uid != *options.uid;
  const bool other_group = options.gid && change.gid && *change.gid != *options.gid;
  return other_user || other_group;
}

void Unsquash(const MountOptions& options, fs::AttributeChange& change) {
  if (options.uid) change.uid.reset();
  if (options.gid) change.gid.reset();
  if (change.permissions) *change.permissions &= ~options.umask;
}

std::optional<fs::AllocateMode> ToAllocateMode(int mode) {
  switch (mode) {
    case 0:
      return fs::AllocateMode::kExtend;
    case FALLOC_FL_KEEP_SIZE:
      return fs::AllocateMode::kKeepSize;
    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
      return fs::AllocateMode::kPunch;
    case FALLOC_FL_ZERO_RANGE:
      return fs::AllocateMode::kZero;
    case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
      return fs::AllocateMode::kZeroKeepSize;
    default:
      return std::nullopt;
  }
}

std::optional<fs::RenameMode> ToRenameMode(unsigned flags) {
  switch (flags) {
    case 0:
      return fs::RenameMode::kReplace;
    case RENAME_NOREPLACE:
      return fs::RenameMode::kNoReplace;
    case RENAME_EXCHANGE:
      return fs::RenameMode::kExchange;
    default:
      return std::nullopt;
  }
}

std::optional<fs::XattrMode> ToXattrMode(int flags) {
  switch (flags) {
    case 0:
      return fs::XattrMode::kCreateOrReplace;
    case XATTR_CREATE:
      return fs::XattrMode::kCreate;
    case XATTR_REPLACE:
      return fs::XattrMode::kReplace;
    default:
      return std::nullopt;
  }
}

}  // namespace amphora::mount
