// Between libfuse's types and the engine's. Pure functions; thread-safe.
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdint>
#include <optional>

#include "fs/files.h"
#include "mount/context.h"

struct statx;

namespace amphora::mount {

mode_t ToMode(fs::FileKind kind, std::uint32_t permissions);
// The kind of mknod(2)'s `mode`; a mode without a type is a regular file. Empty: no such kind.
std::optional<fs::FileKind> ToKind(mode_t mode);

struct stat ToStat(const fs::Attributes& attributes);
void ToStatx(const fs::Attributes& attributes, struct statx* out);
struct statvfs ToStatvfs(const fs::Usage& usage);

// As a mount with uid=, gid= or umask= shows them.
fs::Attributes Squashed(const MountOptions& options, fs::Attributes attributes);

// How long, in seconds, the kernel may keep these attributes.
double AttributeTimeout(const fs::Attributes& attributes);
fuse_entry_param ToEntry(const Context& context, const fs::Attributes& attributes);
// A name that is known not to exist.
fuse_entry_param NegativeEntry(const Context& context);

fs::Caller ToCaller(fuse_req_t request);
// Of a new file: without the bits that the mount does not give.
std::uint32_t ToPermissions(const Context& context, mode_t mode);
// From open(2) flags; does not set passthrough_possible.
fs::OpenOptions ToOpenOptions(int flags);
// From what SETATTR wants (FUSE_SET_ATTR_*).
fs::AttributeChange ToChange(const struct stat& wanted, int which);
// Whether the change would give a file to somebody whom the mount does not show as its owner.
bool LeavesSquash(const MountOptions& options, const fs::AttributeChange& change);
// Owner and mode as the mount shows them are no change of what is stored.
void Unsquash(const MountOptions& options, fs::AttributeChange& change);
// From fallocate(2)'s mode; empty: not supported.
std::optional<fs::AllocateMode> ToAllocateMode(int mode);
// From renameat2(2)'s flags; empty: not supported.
std::optional<fs::RenameMode> ToRenameMode(unsigned flags);
// From setxattr(2)'s flags; empty: not valid.
std::optional<fs::XattrMode> ToXattrMode(int flags);

}  // namespace amphora::mount
