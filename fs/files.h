// The POSIX face of the engine: names, attributes, directories and xattrs by inode, as the VFS asks
// for them. Names are *visible* names: what S3 calls by a name that POSIX cannot carry is shown and
// addressed under a reversible escape (fs/escape.h). All calls are blocking and thread-safe; none
// waits for the disk's durability unless it says so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/handle.h"
#include "fs/types.h"

namespace amphora::fs {

class Core;

// What setattr(2)-like calls change; absent fields stay.
struct AttributeChange {
  std::optional<std::uint32_t> permissions;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::optional<std::uint64_t> size;
  std::optional<Time> accessed;
  std::optional<Time> modified;
  bool accessed_now = false;
  bool modified_now = false;
  // Clears setuid and setgid as a write by a user without CAP_FSETID does (FileHandle::Write).
  bool kill_privileges = false;
  // Of the caller: a change of owner asks too. Empty: privileged.
  MembershipSource membership = {};
};

struct NewNode {
  FileKind kind = FileKind::kRegular;
  std::uint32_t permissions = 0;  // before the caller's umask
  std::uint64_t device = 0;
  std::string symlink_target;  // of a symlink only
};

enum class RenameMode : std::uint8_t { kReplace, kNoReplace, kExchange };

struct RenameRequest {
  InodeId from_parent;
  std::string_view from_name;
  InodeId to_parent;
  std::string_view to_name;
  RenameMode mode = RenameMode::kReplace;
  // Whether this thread may wait for the disk: content that takes a file's name is synced first.
  bool may_wait = true;
};
enum class RenameAnswer : std::uint8_t {
  kDone,
  kMustWait,  // nothing was done: ask again from a thread that may wait
};

struct DirectoryEntry {
  std::string name;  // visible
  InodeId inode;
  FileKind kind = FileKind::kRegular;
  // Where the next ReadDirectory goes on: stable for the life of the entry, never reused in its
  // directory, valid after the entry's removal (docs/decisions/directory-positions.md).
  std::uint64_t position = 0;
  std::optional<Attributes> attributes;  // when asked for
};

struct ReadDirectoryRequest {
  InodeId directory;
  std::uint64_t after = 0;  // 0: from the start; else a position answered before
  std::size_t limit = 128;  // entries, 1 to 4096
  bool with_attributes = false;
  InodeId mount_root = kStoreRoot;  // see Files
};

enum class XattrMode : std::uint8_t { kCreateOrReplace, kCreate, kReplace };

// statvfs(3)'s answer: of the data directory's disk, within the quota of the inode's bucket.
struct Usage {
  std::uint64_t block_bytes = 4096;
  std::uint64_t blocks = 0;
  std::uint64_t blocks_free = 0;
  std::uint64_t blocks_available = 0;
  std::uint64_t files = 0;
  std::uint64_t files_free = 0;
};

struct OpenedFile {
  Attributes attributes;
  std::shared_ptr<FileHandle> handle;
};

// `mount_root` is the directory that a mount shows as its root: a link to a bucket that lies
// outside of it is shown as that bucket's directory (hazards 3.6, fs/bucket_links.h).
class Files {
 public:
  explicit Files(Core& core) : core_(core) {}

  Result<Attributes> Lookup(InodeId parent, std::string_view name, InodeId mount_root = kStoreRoot);
  Result<Attributes> GetAttributes(InodeId inode, InodeId mount_root = kStoreRoot);
  // `handle` may be null (truncate(2)). A size change waits for the disk where content is shared.
  Result<Attributes> SetAttributes(const Caller& caller, InodeId inode,
                                   const AttributeChange& change, FileHandle* handle);
  // Whether it would now, or an open(2) for writing that truncates would (`size` 0). A hint, and
  // cheap: a thread that must not wait asks first.
  bool ResizeMayWait(InodeId inode, std::uint64_t size);
  Result<std::string> ReadLink(InodeId inode, InodeId mount_root = kStoreRoot);

  // mknod, mkdir, symlink. kExists when the visible name is taken.
  Result<Attributes> MakeNode(const Caller& caller, InodeId parent, std::string_view name,
                              const NewNode& node);
  Status Unlink(const Caller& caller, InodeId parent, std::string_view name);
  Status RemoveDirectory(const Caller& caller, InodeId parent, std::string_view name);
  // kMustWait only when `may_wait` is false.
  Result<RenameAnswer> Rename(const Caller& caller, const RenameRequest& request);
  Result<Attributes> Link(const Caller& caller, InodeId inode, InodeId new_parent,
                          std::string_view new_name);

  // open(2) of an existing regular file.
  Result<OpenedFile> Open(const Caller& caller, InodeId inode, const OpenOptions& options);
  // Somebody is about to read a regular file that looked like `seen`: its access time becomes now
  // where relatime says so (mount(8)): it is not newer than the last change, or a day old. ctime
  // stays; every kernel is told, the reader's too. Waits for no disk. kNotFound: it is gone.
  Status NoteAccess(const Attributes& seen);
  // open(2) with O_CREAT: creates, or opens what is there unless `options.exclusive` (kExists).
  // `created` (may be null) says which it was.
  Result<OpenedFile> Create(const Caller& caller, InodeId parent, std::string_view name,
                            std::uint32_t permissions, const OpenOptions& options, bool* created);
  // O_TMPFILE: a file without a name in `parent`'s bucket; Link gives it one.
  Result<OpenedFile> CreateUnnamed(const Caller& caller, InodeId parent, std::uint32_t permissions,
                                   const OpenOptions& options);

  // In order of position, without "." and "..".
  Result<std::vector<DirectoryEntry>> ReadDirectory(const ReadDirectoryRequest& request);
  // The directory that holds directory `inode` (itself for the mount's root): for "..".
  Result<InodeId> ParentOf(InodeId inode, InodeId mount_root = kStoreRoot);

  // xattr(7). Synthetic names user.s3.* are answered by GetXattr and not listed (hazards 4.5);
  // trusted.* is listed for root only. POSIX access control lists are the two names of fs/acl.h:
  // they and the permissions are kept one. `member` counts for them alone.
  Result<std::string> GetXattr(InodeId inode, std::string_view name);
  Result<std::vector<std::string>> ListXattrs(const Caller& caller, InodeId inode);
  Status SetXattr(const Caller& caller, InodeId inode, std::string_view name,
                  std::string_view value, XattrMode mode, const MembershipSource& member = {});
  Status RemoveXattr(const Caller& caller, InodeId inode, std::string_view name);

  Result<Usage> GetUsage(InodeId inode);

  // fsync(2) of a directory: blocks until every change made so far is durable.
  Status SyncDirectory(InodeId directory);

  // The kernel behind mount `origin` no longer knows `inode`: an unlinked one is reaped now if
  // nothing else holds it (hazards 3.5).
  void Forget(OriginId origin, InodeId inode);

  // Turns "volume/bucket/dir" into the inode it names; "" is the store's root. A link to a bucket
  // is followed. For choosing a mount's root.
  Result<Attributes> ResolvePath(std::string_view path);

 private:
  Core& core_;
};

}  // namespace amphora::fs
