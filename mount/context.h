// What every callback of one mount shares; libfuse hands it back as the session's user data.
// Built before the first request and destroyed after the last; the fields are constant while
// requests run, except where they are atomic or have locks of their own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "fs/engine.h"
#include "mount/fuse.h"
#include "mount/invalidator.h"
#include "mount/name_probe.h"
#include "mount/open_files.h"
#include "mount/passthrough.h"
#include "mount/pending_replies.h"
#include "mount/recent_names.h"
#include "mount/reply_pool.h"
#include "mount/session.h"

namespace amphora::mount {

// Seconds; the kernel saturates it. Nothing changes behind its back without an invalidation.
inline constexpr double kForever = 1e9;

// Whether it is asked of the kernel at all.
inline bool UsesUring(const MountOptions& options) {
  return options.use_io_uring && !options.shared_locks && options.device < 0;
}

// What INIT agreed on; written once by the INIT callback.
struct Negotiated {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  bool io_uring_offered = false;     // by the kernel
  bool passthrough_granted = false;  // by the kernel; registering may still fail
  unsigned max_write = 0;            // bytes
};

struct Context {
  Context(fs::Engine& an_engine, const MountOptions& the_options)
      : engine(an_engine), options(the_options) {}

  fs::Engine& engine;
  const MountOptions options;
  fs::InodeId root;     // the inode that the kernel knows as FUSE_ROOT_ID
  fs::OriginId origin;  // of this mount's changes
  Negotiated negotiated;
  std::atomic<bool> io_uring_seen{false};  // a request really came by io_uring
  std::atomic<double> entry_timeout{1.0};  // of names; kForever once the probe allows it
  std::atomic<std::uint64_t> requests{0};
  NameProbe probe;
  RecentNames recent_names;
  OpenFiles open_files;
  Passthrough passthrough;
  ReplyPool pool;
  PendingReplies pending;
  Invalidator invalidator;
};

// What a lock was taken through, and who holds it, as the lock table knows them.
inline fs::LockHandle LockHandleOf(const Context& context, const OpenFile& file) {
  return {context.origin, reinterpret_cast<std::uint64_t>(&file)};
}
inline fs::LockOwner LockOwnerOf(const Context& context, const fuse_file_info& info) {
  return {context.origin, info.lock_owner};
}

inline Context& ContextOf(fuse_req_t request) {
  return *static_cast<Context*>(fuse_req_userdata(request));
}

// A node id is an inode id, but for the mount's root, which the kernel always calls 1. Inode 1 is
// the store's root, so the two never clash.
inline fs::InodeId ToInode(const Context& context, fuse_ino_t node) {
  return node == FUSE_ROOT_ID ? context.root : fs::InodeId(node);
}
inline fuse_ino_t ToNode(const Context& context, fs::InodeId inode) {
  return inode == context.root ? FUSE_ROOT_ID : inode.value();
}

}  // namespace amphora::mount
