// Opening, creating and closing files: decides how the kernel reaches a file's bytes.
#include <sys/stat.h>

#include <utility>

#include "mount/convert.h"
#include "mount/membership.h"
#include "mount/ops.h"
#include "mount/reply.h"

namespace amphora::mount {
namespace {

fs::OpenOptions Wanted(const Context& context, const fuse_file_info* info) {
  fs::OpenOptions options = ToOpenOptions(info->flags);
  options.passthrough_possible = context.passthrough.possible();
  return options;
}

// How the kernel reaches the bytes of a file that it opens.
struct Reach {
  int backing_id = 0;       // under which it reads and writes the blob itself; 0: it can't
  bool through_us = false;  // and yet this handle's reads and writes come to us
};

// The kernel's own writes do not clear setuid and setgid; a WRITE request asks us to.
bool WritesPrivileged(const fs::OpenedFile& opened) {
  return opened.handle->options().write &&
         (opened.attributes.permissions & (S_ISUID | S_ISGID)) != 0;
}

// While an inode is in passthrough the kernel opens it in no other way, except that with direct I/O
// on top a handle's requests come to us.
Reach Register(Context& context, const fs::OpenedFile& opened) {
  if (opened.handle->mode() != fs::AccessMode::kPassthrough) return {};
  const int id = context.passthrough.Acquire(opened.handle->inode(), opened.handle->backing_fd());
  return {id, WritesPrivileged(opened) || opened.handle->comes_to_daemon()};
}

// Keeps the handle, and fills in what the kernel is told of it.
OpenFile& Attach(Context& context, std::shared_ptr<fs::FileHandle> handle, const Reach& reach,
                 fuse_file_info* info) {
  OpenFile& file = context.open_files.Add(std::move(handle));
  file.registered = reach.backing_id > 0;
  info->fh = reinterpret_cast<std::uint64_t>(&file);
  // A close that only gives locks up must come, too.
  info->noflush = !file.handle->options().write && !context.options.shared_locks;
  if (file.registered) {
    info->backing_id = reach.backing_id;
    info->direct_io = reach.through_us;
  } else if (file.handle->mode() == fs::AccessMode::kPassthrough) {
    info->direct_io = 1;  // another mount's kernel writes the blob: cache nothing (hazards 1.3)
  } else {
    info->keep_cache = file.handle->keep_cache();
  }
  return file;
}

void Detach(Context& context, OpenFile& file) {
  const fs::InodeId inode = file.handle->inode();
  const bool registered = file.registered;
  const fs::LockHandle handle = LockHandleOf(context, file);
  context.open_files.Remove(file);
  if (context.options.shared_locks) context.engine.locks().DropHandle(inode, handle);
  if (registered) context.passthrough.Release(inode);
}

Status KillPrivileges(fuse_req_t request, fs::FileHandle& handle) {
  fs::AttributeChange change;
  change.kill_privileges = true;
  change.membership = MembershipOf(request);
  const auto changed = ContextOf(request).engine.files().SetAttributes(
      ToCaller(request), handle.inode(), change, &handle);
  return changed.ok() ? Ok() : Status(changed.error());
}

// Opens, and registers with the kernel if that is how the file is reached.
Result<fs::OpenedFile> OpenAndRegister(Context& context, const fs::Caller& caller,
                                       fs::InodeId inode, fs::OpenOptions options, Reach& reach) {
  auto opened = context.engine.files().Open(caller, inode, options);
  if (!opened.ok() || opened->handle->mode() == fs::AccessMode::kDaemon) return opened;
  if (!WritesPrivileged(*opened)) {
    reach = Register(context, *opened);
    if (reach.backing_id > 0) return opened;
  }
  // The engine shall serve this file, unless others hold it in passthrough.
  opened->handle->Release();
  options.passthrough_possible = options.truncate = false;
  opened = context.engine.files().Open(caller, inode, options);
  if (opened.ok()) reach = Register(context, *opened);
  return opened;
}

// As on a disk, a reader is not told of an access time that could not be moved.
void NoteAccess(Context& context, const fs::OpenedFile& opened) {
  const fs::OpenOptions& options = opened.handle->options();
  if (!context.options.relatime || context.options.read_only) return;
  if (!options.read || options.no_access_time) return;
  (void)context.engine.files().NoteAccess(opened.attributes);
}

void OpenNow(fuse_req_t request, fs::InodeId inode, const fs::OpenOptions& options,
             fuse_file_info info) {
  Context& context = ContextOf(request);
  Reach reach;
  auto opened = OpenAndRegister(context, ToCaller(request), inode, options, reach);
  if (!opened.ok()) {
    ReplyError(request, opened.error());
    return;
  }
  NoteAccess(context, *opened);
  const Status killed = info.kill_suidgid ? KillPrivileges(request, *opened->handle) : Ok();
  OpenFile& file = Attach(context, std::move(opened->handle), reach, &info);
  if (!killed.ok()) {
    Detach(context, file);
    ReplyError(request, killed.error());
    return;
  }
  PauseBeforeReply("mount.open.reply");
  if (!ReplyOpened(request, info)) Detach(context, file);
}

void Open(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  Context& context = ContextOf(request);
  const fs::InodeId inode = ToInode(context, node);
  const fs::OpenOptions options = Wanted(context, info);
  if (options.write && ((options.passthrough_possible && !options.truncate) ||
                        context.engine.files().ResizeMayWait(inode, 0))) {
    // A first writer in passthrough has to be on record durably (hazards 5.3), and gives those who
    // share the content a copy: that may wait.
    context.pool.Run(request, [request, inode, options, info = *info] {
      OpenNow(request, inode, options, info);
    });
    return;
  }
  OpenNow(request, inode, options, *info);
}

void ReplyNewFile(fuse_req_t request, Result<fs::OpenedFile> opened, fuse_file_info* info) {
  Context& context = ContextOf(request);
  PauseBeforeReply("mount.create.reply");
  if (!opened.ok()) {
    ReplyError(request, opened.error());
    return;
  }
  const fuse_entry_param entry = ToEntry(context, opened->attributes);
  const Reach reach = Register(context, *opened);
  OpenFile& file = Attach(context, std::move(opened->handle), reach, info);
  if (!ReplyCreated(request, entry, *info)) Detach(context, file);
}

void Create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
            fuse_file_info* info) {
  Context& context = ContextOf(request);
  ReplyNewFile(
      request,
      context.engine.files().Create(ToCaller(request), ToInode(context, parent), name,
                                    ToPermissions(context, mode), Wanted(context, info), nullptr),
      info);
}

void CreateUnnamed(fuse_req_t request, fuse_ino_t parent, mode_t mode, fuse_file_info* info) {
  Context& context = ContextOf(request);
  ReplyNewFile(
      request,
      context.engine.files().CreateUnnamed(ToCaller(request), ToInode(context, parent),
                                           ToPermissions(context, mode), Wanted(context, info)),
      info);
}

void Release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  OpenFile& file = FileOf(info);
  const Status published = file.handle->Publish();
  Detach(ContextOf(request), file);
  ReplyStatus(request, published);  // nobody hears it, but the log does
}

}  // namespace

void AddOpenOperations(fuse_lowlevel_ops& operations) {
  operations.open = Counted<Open, MountOperation::kOpen>::Call;
  operations.create = Counted<Create, MountOperation::kCreate>::Call;
  operations.tmpfile = Counted<CreateUnnamed, MountOperation::kTmpfile>::Call;
  operations.release = Counted<Release, MountOperation::kRelease>::Call;
}

}  // namespace amphora::mount
