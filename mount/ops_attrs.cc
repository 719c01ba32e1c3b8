// Attributes, extended attributes and the size of the disk.
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "mount/convert.h"
#include "mount/membership.h"
#include "mount/ops.h"
#include "mount/reply.h"

namespace amphora::mount {
namespace {

Result<fs::Attributes> Attributes(fuse_req_t request, fuse_ino_t node, const fuse_file_info* info) {
  Context& context = ContextOf(request);
  if (info != nullptr && info->fh != 0) return FileOf(info).handle->GetAttributes();
  return context.engine.files().GetAttributes(ToInode(context, node), context.root);
}

void GetAttributes(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  const auto attributes = Attributes(request, node, info);
  PauseBeforeReply("mount.getattr.reply");
  if (attributes.ok()) {
    ReplyAttributes(request, *attributes);
  } else {
    ReplyError(request, attributes.error());
  }
}

void GetStatx(fuse_req_t request, fuse_ino_t node, int, int, fuse_file_info* info) {
  const auto attributes = Attributes(request, node, info);
  PauseBeforeReply("mount.getattr.reply");
  if (!attributes.ok()) {
    ReplyError(request, attributes.error());
    return;
  }
  struct statx out;
  ToStatx(Squashed(ContextOf(request).options, *attributes), &out);
  ReplyStatx(request, out, AttributeTimeout(*attributes));
}

void SetNow(fuse_req_t request, fs::InodeId inode, const fs::AttributeChange& change,
            fs::FileHandle* handle) {
  const auto changed =
      ContextOf(request).engine.files().SetAttributes(ToCaller(request), inode, change, handle);
  PauseBeforeReply("mount.setattr.reply");
  if (changed.ok()) {
    ReplyAttributes(request, *changed);
  } else {
    ReplyError(request, changed.error());
  }
}

void SetAttributes(fuse_req_t request, fuse_ino_t node, struct stat* wanted, int which,
                   fuse_file_info* info) {
  Context& context = ContextOf(request);
  const fs::InodeId inode = ToInode(context, node);
  const std::shared_ptr<fs::FileHandle> handle =
      info != nullptr && info->fh != 0 ? FileOf(info).handle : nullptr;
  fs::AttributeChange change = ToChange(*wanted, which);
  if (LeavesSquash(context.options, change)) {
    ReplyErrno(request, EPERM);
    return;
  }
  Unsquash(context.options, change);
  change.membership = MembershipOf(request);
  if (!change.size || !context.engine.files().ResizeMayWait(inode, *change.size)) {
    SetNow(request, inode, change, handle.get());
    return;
  }
  context.pool.Run(
      request, [request, inode, change, handle] { SetNow(request, inode, change, handle.get()); });
}

void GetXattr(fuse_req_t request, fuse_ino_t node, const char* name, std::size_t room) {
  Context& context = ContextOf(request);
  const auto value = context.engine.files().GetXattr(ToInode(context, node), name);
  if (value.ok()) {
    ReplySized(request, *value, room);
  } else {
    ReplyError(request, value.error());
  }
}

void ListXattrs(fuse_req_t request, fuse_ino_t node, std::size_t room) {
  Context& context = ContextOf(request);
  const auto names = context.engine.files().ListXattrs(ToCaller(request), ToInode(context, node));
  if (!names.ok()) {
    ReplyError(request, names.error());
    return;
  }
  std::string list;  // each name ends with a NUL (listxattr(2))
  for (const std::string& name : *names) list.append(name).push_back('\0');
  ReplySized(request, list, room);
}

void SetXattr(fuse_req_t request, fuse_ino_t node, const char* name, const char* value,
              std::size_t size, int flags) {
  Context& context = ContextOf(request);
  const auto mode = ToXattrMode(flags);
  if (!mode) {
    ReplyErrno(request, EINVAL);
    return;
  }
  ReplyStatus(request,
              context.engine.files().SetXattr(ToCaller(request), ToInode(context, node), name,
                                              {value, size}, *mode, MembershipOf(request)));
}

void RemoveXattr(fuse_req_t request, fuse_ino_t node, const char* name) {
  Context& context = ContextOf(request);
  ReplyStatus(request,
              context.engine.files().RemoveXattr(ToCaller(request), ToInode(context, node), name));
}

void StatFs(fuse_req_t request, fuse_ino_t node) {
  Context& context = ContextOf(request);
  const auto usage = context.engine.files().GetUsage(ToInode(context, node));
  if (usage.ok()) {
    ReplyUsage(request, ToStatvfs(*usage));
  } else {
    ReplyError(request, usage.error());
  }
}

}  // namespace

void AddAttributeOperations(fuse_lowlevel_ops& operations) {
  operations.getattr = Counted<GetAttributes, MountOperation::kGetattr>::Call;
  operations.statx = Counted<GetStatx, MountOperation::kStatx>::Call;
  operations.setattr = Counted<SetAttributes, MountOperation::kSetattr>::Call;
  operations.getxattr = Counted<GetXattr, MountOperation::kGetxattr>::Call;
  operations.listxattr = Counted<ListXattrs, MountOperation::kListxattr>::Call;
  operations.setxattr = Counted<SetXattr, MountOperation::kSetxattr>::Call;
  operations.removexattr = Counted<RemoveXattr, MountOperation::kRemovexattr>::Call;
  operations.statfs = Counted<StatFs, MountOperation::kStatfs>::Call;
}

}  // namespace amphora::mount
