// Names: lookup, forget, and what makes, moves or removes one.
#include <cerrno>
#include <string>

#include "mount/convert.h"
#include "mount/ops.h"
#include "mount/reply.h"

namespace amphora::mount {
namespace {

void Lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Context& context = ContextOf(request);
  if (context.probe.OnLookup(request, name)) return;
  const fs::InodeId directory = ToInode(context, parent);
  if (context.invalidator.mode() == NameInvalidation::kEpoch) {
    context.recent_names.Note(directory, name);
  }
  const auto found = context.engine.files().Lookup(directory, name, context.root);
  PauseBeforeReply("mount.lookup.reply");
  if (found.ok()) {
    ReplyEntry(request, ToEntry(context, *found));
  } else if (found.Is(ErrorCode::kNotFound)) {
    ReplyEntry(request, NegativeEntry(context));
  } else {
    ReplyError(request, found.error());
  }
}

void ForgetOne(Context& context, fuse_ino_t node) {
  if (node != FUSE_ROOT_ID) context.engine.files().Forget(context.origin, ToInode(context, node));
}

void Forget(fuse_req_t request, fuse_ino_t node, std::uint64_t) {
  ForgetOne(ContextOf(request), node);
  ReplyNone(request);
}

void ForgetMany(fuse_req_t request, std::size_t count, fuse_forget_data* forgotten) {
  for (std::size_t i = 0; i < count; ++i) ForgetOne(ContextOf(request), forgotten[i].ino);
  ReplyNone(request);
}

void Make(fuse_req_t request, fuse_ino_t parent, const char* name, const fs::NewNode& node) {
  Context& context = ContextOf(request);
  const auto made =
      context.engine.files().MakeNode(ToCaller(request), ToInode(context, parent), name, node);
  PauseBeforeReply("mount.mknod.reply");
  if (made.ok()) {
    ReplyEntry(request, ToEntry(context, *made));
  } else {
    ReplyError(request, made.error());
  }
}

void MakeNode(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  const auto kind = ToKind(mode);
  if (!kind || *kind == fs::FileKind::kDirectory || *kind == fs::FileKind::kSymlink) {
    ReplyErrno(request, EINVAL);
    return;
  }
  Make(request, parent, name,
       {.kind = *kind,
        .permissions = ToPermissions(ContextOf(request), mode),
        .device = device,
        .symlink_target = {}});
}

void MakeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  Make(request, parent, name,
       {.kind = fs::FileKind::kDirectory,
        .permissions = ToPermissions(ContextOf(request), mode),
        .device = 0,
        .symlink_target = {}});
}

void MakeSymlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  Make(
      request, parent, name,
      {.kind = fs::FileKind::kSymlink, .permissions = 0777, .device = 0, .symlink_target = target});
}

void ReadLink(fuse_req_t request, fuse_ino_t node) {
  Context& context = ContextOf(request);
  const auto target = context.engine.files().ReadLink(ToInode(context, node), context.root);
  if (target.ok()) {
    ReplyLink(request, target->c_str());
  } else {
    ReplyError(request, target.error());
  }
}

void Unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Context& context = ContextOf(request);
  ReplyStatus(request,
              context.engine.files().Unlink(ToCaller(request), ToInode(context, parent), name));
}

void RemoveDirectory(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Context& context = ContextOf(request);
  ReplyStatus(request, context.engine.files().RemoveDirectory(ToCaller(request),
                                                              ToInode(context, parent), name));
}

void Rename(fuse_req_t request, fuse_ino_t from, const char* old_name, fuse_ino_t to,
            const char* new_name, unsigned flags) {
  Context& context = ContextOf(request);
  const auto mode = ToRenameMode(flags);
  if (!mode) {
    ReplyErrno(request, EINVAL);
    return;
  }
  const fs::InodeId from_parent = ToInode(context, from);
  const fs::InodeId to_parent = ToInode(context, to);
  const fs::Caller caller = ToCaller(request);
  const auto renamed = context.engine.files().Rename(
      caller, {from_parent, old_name, to_parent, new_name, *mode, /*may_wait=*/false});
  if (!renamed.ok() || *renamed == fs::RenameAnswer::kDone) {
    ReplyStatus(request, renamed.ok() ? Ok() : Status(renamed.error()));
    return;
  }
  // Over an existing file the source's data is flushed first (hazards 5.5): that waits for the
  // disk.
  context.pool.Run(request, [&context, request, caller, from_parent, to_parent, mode = *mode,
                             source = std::string(old_name), target = std::string(new_name)] {
    const auto late =
        context.engine.files().Rename(caller, {from_parent, source, to_parent, target, mode});
    ReplyStatus(request, late.ok() ? Ok() : Status(late.error()));
  });
}

void Link(fuse_req_t request, fuse_ino_t node, fuse_ino_t parent, const char* name) {
  Context& context = ContextOf(request);
  const auto linked = context.engine.files().Link(ToCaller(request), ToInode(context, node),
                                                  ToInode(context, parent), name);
  PauseBeforeReply("mount.link.reply");
  if (!linked.ok()) {
    ReplyError(request, linked.error());
    return;
  }
  // The kernel installs these attributes whatever it was told meanwhile, and holds no lock of the
  // inode's other names while it waits: they must not be kept (hazards 3.2).
  fuse_entry_param entry = ToEntry(context, *linked);
  entry.attr_timeout = 0;
  ReplyEntry(request, entry);
}

}  // namespace

void AddNameOperations(fuse_lowlevel_ops& operations) {
  operations.lookup = Counted<Lookup, MountOperation::kLookup>::Call;
  operations.forget = Counted<Forget, MountOperation::kForget>::Call;
  operations.forget_multi = Counted<ForgetMany, MountOperation::kBatchForget>::Call;
  operations.mknod = Counted<MakeNode, MountOperation::kMknod>::Call;
  operations.mkdir = Counted<MakeDirectory, MountOperation::kMkdir>::Call;
  operations.symlink = Counted<MakeSymlink, MountOperation::kSymlink>::Call;
  operations.readlink = Counted<ReadLink, MountOperation::kReadlink>::Call;
  operations.unlink = Counted<Unlink, MountOperation::kUnlink>::Call;
  operations.rmdir = Counted<RemoveDirectory, MountOperation::kRmdir>::Call;
  operations.rename = Counted<Rename, MountOperation::kRename>::Call;
  operations.link = Counted<Link, MountOperation::kLink>::Call;
}

}  // namespace amphora::mount
