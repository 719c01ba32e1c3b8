// Admin::Figures and Admin::CollectGarbage: what `status` shows and `gc` does.

#include <linux/magic.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <algorithm>

#include "fs/admin.h"
#include "fs/core.h"
#include "fs/data/blob_store.h"
#include "fs/data/collector.h"
#include "fs/data/joiner.h"
#include "fs/data/live.h"
#include "fs/data/space_guard.h"
#include "fs/data_directory.h"

namespace amphora::fs {
namespace {

constexpr long kXfsMagic = 0x58465342;  // not in <linux/magic.h> of Debian 12

// Names as mount(8) has them; a number for what is not known here (statfs(2)).
std::string DiskName(const std::string& path) {
  struct statfs disk {};
  if (statfs(path.c_str(), &disk) != 0) return "unknown";
  switch (static_cast<long>(disk.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case kXfsMagic:
      return "xfs";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case TMPFS_MAGIC:
      return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlay";
    case NFS_SUPER_MAGIC:
      return "nfs";
    case F2FS_SUPER_MAGIC:
      return "f2fs";
    default:
      return "type " + std::to_string(static_cast<long>(disk.f_type));
  }
}

}  // namespace

StoreFigures Admin::Figures() {
  StoreFigures figures;
  figures.format = kStoreFormat;
  figures.data_directory = core_.directory->path();
  figures.disk = DiskName(figures.data_directory);
  figures.reflink = core_.blobs->CanReflink();
  figures.open_handles = core_.live->handle_count();
  figures.live_inodes = core_.live->live_count();
  figures.blobs_to_collect = core_.collector->queued();
  figures.disk_full = core_.space->full();
  struct statvfs disk;
  if (statvfs(figures.data_directory.c_str(), &disk) == 0) {
    const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    figures.disk_bytes = std::uint64_t{disk.f_blocks} * disk.f_frsize;
    const std::uint64_t kept = figures.disk_full ? free : core_.space->floor_bytes();
    figures.disk_free_bytes = free - std::min(free, kept);
  }
  figures.newest_ticket = core_.store->LastTicket();
  figures.durable = core_.store->IsDurable(figures.newest_ticket);
  // After a failed sync nothing becomes durable any more; asking costs at most one sync.
  if (!figures.durable) {
    figures.poisoned = core_.store->WaitDurable(figures.newest_ticket).Is(ErrorCode::kPoisoned);
  }
  return figures;
}

Result<std::uint64_t> Admin::CollectGarbage(const ProgressFunction& progress) {
  AMPHORA_TRY(core_.joiner->RunOnce());  // frees blobs
  return core_.collector->RunOnce([&](std::uint64_t done) {
    if (progress) progress({"blobs", done, 0});
  });
}

}  // namespace amphora::fs
