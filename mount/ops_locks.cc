// Locks of a mount with -o locks=shared: flock(2), record locks and those of open file descriptions
// (fcntl(2)), kept by the engine's lock table for all such mounts. Without the option the kernel
// keeps them, exactly and for nothing, and none of this is called.
//
// A lock hands a file over, so whoever gets one sees what was written under the one before: who
// unlocks settles the file first, and who locks is answered after its kernel was told what changed.
//
// A wait holds no thread: the request is answered by whoever frees the lock. FUSE_INTERRUPT ends it
// with EINTR, unless the lock is granted at that moment.
#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>

#include "mount/ops.h"
#include "mount/reply.h"

namespace amphora::mount {
namespace {

fs::LockRequest RequestOf(const Context& context, const fuse_file_info& info) {
  const OpenFile& file = FileOf(&info);
  fs::LockRequest request;
  request.inode = file.handle->inode();
  request.owner = LockOwnerOf(context, info);
  request.handle = LockHandleOf(context, file);
  return request;
}

// Of struct flock as libfuse fills it: from the file's start, length 0 to its end.
fs::LockRequest RecordRequest(const Context& context, const fuse_file_info& info,
                              const struct flock& lock) {
  fs::LockRequest request = RequestOf(context, info);
  request.range.first = static_cast<std::uint64_t>(lock.l_start);
  if (lock.l_len > 0) {
    request.range.last = request.range.first + static_cast<std::uint64_t>(lock.l_len) - 1;
  }
  request.type = lock.l_type == F_WRLCK ? fs::LockType::kExclusive : fs::LockType::kShared;
  request.process = lock.l_pid;
  return request;
}

struct flock ToFlock(const fs::HeldLock& held) {
  struct flock lock = {};
  lock.l_type = held.type == fs::LockType::kExclusive ? F_WRLCK : F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(held.range.first);
  const bool to_the_end = held.range.last >= INT64_MAX;
  lock.l_len = to_the_end ? 0 : static_cast<off_t>(held.range.last - held.range.first + 1);
  lock.l_pid = held.process;
  return lock;
}

// A request that waits for its lock. Lives until it is answered, whoever does that.
struct Waiting : std::enable_shared_from_this<Waiting> {
  Waiting(Context& a_context, fuse_req_t a_request)
      : context(a_context), request(a_request), hold(a_context.pending) {}

  Context& context;
  const fuse_req_t request;
  const PendingReplies::Hold hold;
  std::mutex mutex;
  bool interrupted = false;            // guarded by mutex
  std::optional<fs::LockWaitId> wait;  // guarded by mutex; once it is known
};

// This mount's kernel has been told what changed under the lock that was held before; bounded
// (hazards 2.2). A lock's own request holds no lock of the kernel that this could wait for.
void ReplyLocked(Context& context, fuse_req_t request, const Status& status) {
  if (!status.ok()) {
    ReplyStatus(request, status);
    return;
  }
  constexpr fs::Ticket kNothing = 0;  // locks are no matter of the disk
  const auto hold = std::make_shared<PendingReplies::Hold>(context.pending);
  context.engine.WhenSettled(kNothing, [request, hold](Status) { ReplyErrno(request, 0); });
}

// libfuse calls this with the request's lock held, which its reply takes too.
void Interrupt(fuse_req_t request, void* data) {
  const auto waiting = static_cast<Waiting*>(data)->shared_from_this();
  std::lock_guard lock(waiting->mutex);
  waiting->interrupted = true;
  if (!waiting->wait || !waiting->context.engine.locks().Cancel(*waiting->wait)) return;
  waiting->context.pool.Run(request, [waiting] { ReplyErrno(waiting->request, EINTR); });
}

void Wait(Context& context, fuse_req_t request, const fs::LockRequest& wanted) {
  const auto waiting = std::make_shared<Waiting>(context, request);
  fuse_req_interrupt_func(request, Interrupt, waiting.get());
  fs::LockTable& locks = context.engine.locks();
  const auto wait = locks.LockOrWait(wanted, [waiting](const Status& status) {
    ReplyLocked(waiting->context, waiting->request, status);
  });
  if (!wait) return;
  std::unique_lock lock(waiting->mutex);
  waiting->wait = wait;
  const bool cut_short = waiting->interrupted && locks.Cancel(*wait);
  lock.unlock();
  if (cut_short) ReplyErrno(request, EINTR);
}

void LockIt(fuse_req_t request, const fs::LockRequest& wanted, bool may_wait) {
  Context& context = ContextOf(request);
  const Status locked = context.engine.locks().Lock(wanted);
  if (locked.Is(ErrorCode::kConflict) && may_wait) {
    Wait(context, request, wanted);
  } else {
    ReplyLocked(context, request, locked);
  }
}

void Unlock(fuse_req_t request, const std::shared_ptr<fs::FileHandle>& handle,
            const fs::LockRequest& wanted) {
  Context& context = ContextOf(request);
  if (!handle->FlushMayWait()) {
    const Status flushed = handle->Flush();
    context.engine.locks().Unlock(wanted);
    ReplyStatus(request, flushed);
    return;
  }
  context.pool.Run(request, [&context, request, wanted, handle] {
    const Status flushed = handle->Flush();
    context.engine.locks().Unlock(wanted);
    ReplyStatus(request, flushed);
  });
}

void GetLock(fuse_req_t request, fuse_ino_t, fuse_file_info* info, struct flock* lock) {
  Context& context = ContextOf(request);
  const auto held = context.engine.locks().FindConflict(RecordRequest(context, *info, *lock));
  struct flock answer = *lock;
  answer.l_type = F_UNLCK;
  ReplyLock(request, held ? ToFlock(*held) : answer);
}

void SetLock(fuse_req_t request, fuse_ino_t, fuse_file_info* info, struct flock* lock, int sleep) {
  const fs::LockRequest wanted = RecordRequest(ContextOf(request), *info, *lock);
  if (lock->l_type == F_UNLCK) {
    Unlock(request, FileOf(info).handle, wanted);
  } else {
    LockIt(request, wanted, sleep != 0);
  }
}

void Flock(fuse_req_t request, fuse_ino_t, fuse_file_info* info, int operation) {
  fs::LockRequest wanted = RequestOf(ContextOf(request), *info);
  wanted.family = fs::LockFamily::kWhole;
  switch (operation & ~LOCK_NB) {
    case LOCK_UN:
      Unlock(request, FileOf(info).handle, wanted);
      return;
    case LOCK_EX:
      wanted.type = fs::LockType::kExclusive;
      break;
    case LOCK_SH:
      break;
    default:
      ReplyErrno(request, EINVAL);
      return;
  }
  LockIt(request, wanted, (operation & LOCK_NB) == 0);
}

}  // namespace

void AddLockOperations(fuse_lowlevel_ops& operations) {
  operations.getlk = Counted<GetLock, MountOperation::kGetlk>::Call;
  operations.setlk = Counted<SetLock, MountOperation::kSetlk>::Call;
  operations.flock = Counted<Flock, MountOperation::kFlock>::Call;
}

}  // namespace amphora::mount
