// Directories: readdir with and without attributes, fsync. OPENDIR and RELEASEDIR do not reach us:
// the kernel then caches listings by itself, and there is nothing to remember of an open directory.
#include <algorithm>
#include <cstring>
#include <vector>

#include "mount/convert.h"
#include "mount/ops.h"
#include "mount/reply.h"

namespace amphora::mount {
namespace {

// Positions of the two entries that the engine does not know; its own are larger.
constexpr off_t kSelf = 1;
constexpr off_t kParent = 2;

// What an entry with a name of usual length takes of the reply; only a guess of how many to ask
// for.
constexpr std::size_t kUsualEntry = 24 + 16;
constexpr std::size_t kUsualEntryWithAttributes = kUsualEntry + 128;

// One reply in the making.
class Listing {
 public:
  Listing(fuse_req_t request, std::size_t room, bool with_attributes)
      : request_(request), room_(room), with_attributes_(with_attributes) {
    if (Buffer().size() < room) Buffer().resize(room);
  }

  // False when there is no room left. An entry of node 0 tells the kernel the name, number and kind
  // only.
  bool Add(const char* name, const fuse_entry_param& entry, off_t position) {
    char* out = Buffer().data() + used_;
    const std::size_t left = room_ - used_;
    const std::size_t size =
        with_attributes_ ? fuse_add_direntry_plus(request_, out, left, name, &entry, position)
                         : fuse_add_direntry(request_, out, left, name, &entry.attr, position);
    if (size > left) return false;
    used_ += size;
    return true;
  }

  void Reply() { ReplyBytes(request_, Buffer().data(), used_); }

 private:
  static std::vector<char>& Buffer() {
    thread_local std::vector<char> buffer;
    return buffer;
  }

  fuse_req_t request_;
  std::size_t room_;
  std::size_t used_ = 0;
  bool with_attributes_;
};

// "." and "..": the kernel looks up neither, so they carry no node.
fuse_entry_param Dot(fs::InodeId inode) {
  fuse_entry_param entry = {};
  entry.attr.st_ino = inode.value();
  entry.attr.st_mode = S_IFDIR;
  return entry;
}

bool AddDots(Context& context, fs::InodeId directory, off_t offset, Listing& listing) {
  if (offset < kSelf && !listing.Add(".", Dot(directory), kSelf)) return false;
  if (offset >= kParent) return true;
  const auto parent = context.engine.files().ParentOf(directory, context.root);
  return listing.Add("..", Dot(parent.value_or(directory)), kParent);
}

fuse_entry_param EntryOf(const Context& context, const fs::DirectoryEntry& found) {
  if (found.attributes) return ToEntry(context, *found.attributes);
  fuse_entry_param entry = {};
  entry.attr.st_ino = found.inode.value();
  entry.attr.st_mode = ToMode(found.kind, 0);
  return entry;
}

void List(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
          bool with_attributes) {
  Context& context = ContextOf(request);
  const fs::InodeId directory = ToInode(context, node);
  Listing listing(request, size, with_attributes);
  if (!AddDots(context, directory, offset, listing)) {
    listing.Reply();
    return;
  }
  const std::size_t guess = size / (with_attributes ? kUsualEntryWithAttributes : kUsualEntry);
  const auto entries = context.engine.files().ReadDirectory(
      {.directory = directory,
       .after = offset <= kParent ? 0 : static_cast<std::uint64_t>(offset),
       .limit = std::clamp<std::size_t>(guess, 1, 4096),
       .with_attributes = with_attributes,
       .mount_root = context.root});
  if (!entries.ok()) {
    ReplyError(request, entries.error());
    return;
  }
  for (const fs::DirectoryEntry& entry : *entries) {
    if (!listing.Add(entry.name.c_str(), EntryOf(context, entry),
                     static_cast<off_t>(entry.position))) {
      break;
    }
  }
  PauseBeforeReply(with_attributes ? "mount.readdirplus.reply" : "mount.readdir.reply");
  listing.Reply();
}

void ReadDirectory(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                   fuse_file_info*) {
  List(request, node, size, offset, false);
}

void ReadDirectoryPlus(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                       fuse_file_info*) {
  List(request, node, size, offset, true);
}

void SyncDirectory(fuse_req_t request, fuse_ino_t node, int, fuse_file_info*) {
  Context& context = ContextOf(request);
  context.pool.Run(request, [request, &context, node] {
    ReplyStatus(request, context.engine.files().SyncDirectory(ToInode(context, node)));
  });
}

}  // namespace

void AddDirectoryOperations(fuse_lowlevel_ops& operations) {
  operations.readdir = Counted<ReadDirectory, MountOperation::kReaddir>::Call;
  operations.readdirplus = Counted<ReadDirectoryPlus, MountOperation::kReaddirplus>::Call;
  operations.fsyncdir = Counted<SyncDirectory, MountOperation::kFsyncdir>::Call;
}

}  // namespace amphora::mount
