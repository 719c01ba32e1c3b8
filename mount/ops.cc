#include "mount/ops.h"

#include <algorithm>

#include "meta/base/failpoint.h"
#include "mount/limits.h"

namespace amphora::mount {
namespace {

void Init(void* user, fuse_conn_info* connection) {
  Context& context = *static_cast<Context*>(user);
  // The engine says which pages are wrong; a new mtime of our own writes must not drop them
  // (hazards 1.6).
  fuse_unset_feature_flag(connection, FUSE_CAP_AUTO_INVAL_DATA);
  fuse_unset_feature_flag(connection, FUSE_CAP_WRITEBACK_CACHE);
  for (const std::uint64_t feature :
       {FUSE_CAP_EXPLICIT_INVAL_DATA, FUSE_CAP_CACHE_SYMLINKS, FUSE_CAP_PARALLEL_DIROPS,
        FUSE_CAP_POSIX_ACL, FUSE_CAP_DONT_MASK, FUSE_CAP_HANDLE_KILLPRIV_V2,
        FUSE_CAP_ATOMIC_O_TRUNC, FUSE_CAP_READDIRPLUS, FUSE_CAP_READDIRPLUS_AUTO,
        FUSE_CAP_NO_OPENDIR_SUPPORT, FUSE_CAP_ASYNC_DIO, FUSE_CAP_DIRECT_IO_ALLOW_MMAP,
        FUSE_CAP_NO_EXPORT_SUPPORT}) {
    fuse_set_feature_flag(connection, feature);
  }
  if (!context.options.shared_locks) {
    fuse_unset_feature_flag(connection, FUSE_CAP_POSIX_LOCKS);
    fuse_unset_feature_flag(connection, FUSE_CAP_FLOCK_LOCKS);
  }
  const bool passthrough =
      context.options.use_passthrough && fuse_set_feature_flag(connection, FUSE_CAP_PASSTHROUGH);
  connection->max_backing_stack_depth = FUSE_BACKING_STACKED_UNDER;
  connection->max_write = MaxWriteBytes(UsesUring(context.options));
  connection->max_background = 64;
  // Only a wait for a lock can be cut short.
  connection->no_interrupt = !context.options.shared_locks;
  std::lock_guard lock(context.negotiated.mutex);
  context.negotiated.done = true;
  context.negotiated.io_uring_offered = fuse_get_feature_flag(connection, FUSE_CAP_OVER_IO_URING);
  context.negotiated.passthrough_granted = passthrough;
  context.negotiated.max_write = connection->max_write;
  context.negotiated.changed.notify_all();
}

}  // namespace

void NoteRequest(fuse_req_t request, MountOperation operation) {
  Context& context = ContextOf(request);
  Count(operation);
  Count(Counter::kMountRequests);
  context.requests.fetch_add(1, std::memory_order_relaxed);
  if (!context.io_uring_seen.load(std::memory_order_relaxed) && fuse_req_is_uring(request)) {
    context.io_uring_seen = true;
  }
}

void PauseBeforeReply(FailpointName failpoint) {
  // Only its delay is wanted: what the engine did stays done, so there is no error to give.
  static_cast<void>(Failpoint(failpoint));
}

fuse_lowlevel_ops Operations(const MountOptions& options) {
  fuse_lowlevel_ops operations = {};
  operations.init = Init;
  AddNameOperations(operations);
  AddOpenOperations(operations);
  AddFileOperations(operations);
  AddDirectoryOperations(operations);
  AddAttributeOperations(operations);
  // With these libfuse takes the kernel's locks over.
  if (options.shared_locks) AddLockOperations(operations);
  return operations;
}

}  // namespace amphora::mount
