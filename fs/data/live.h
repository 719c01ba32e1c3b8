// Live inodes: the state of files that are open, shared by all handles of every mount and seen by the S3
// face at once. An inode is live from its first Acquire to the last release (and, after a writable
// passthrough handle, until the lease shows that no mapping writes any more: hazards 1.1).
//
// The inode row is the truth for owner, mode, links and xattrs; while an inode is dirty its size, times and
// content are here. Settle() writes them into the row.
//
// Locks, in order: a transaction's row locks → LiveInode::mutex_ is NEVER taken inside a transaction, except
// by Settle's own closure, which takes no other; shard locks of the table are leaf locks.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fs/data/blob_store.h"
#include "fs/handle.h"
#include "fs/records.h"
#include "fs/types.h"

namespace amphora::fs {

class Core;

// What S3 and stat see of a live inode.
struct LiveView {
  std::uint64_t size = 0;
  std::uint64_t allocated = 0;
  Time modified;
  Time changed;
  Time last_modified;
  bool dirty = false;               // the row is older than this view
  std::string etag;                 // text; empty when not dirty: the row's holds
  bool writable_passthrough = false;  // attributes must not be cached
};

// A stable view of the content for a reader (GET, copy): never torn (hazards section 5).
struct ContentView {
  std::string inline_bytes;
  std::shared_ptr<Blob> blob;  // pinned: nobody writes into it while this lives, unless `may_change`
  std::shared_ptr<void> pin;
  std::uint64_t size = 0;
  // No reflink on this disk and somebody writes: buffered reads only, compare Figures() before and after.
  bool may_change = false;
};

class LiveInode;

class LiveTable {
 public:
  explicit LiveTable(Core& core);
  ~LiveTable();

  // For handles and truncate: reads the row when the inode is not live yet. Waits while the inode is being
  // removed. kStale or kNotFound when it is gone; kInvalidArgument unless a regular file.
  Result<std::shared_ptr<LiveInode>> Acquire(InodeId inode);
  // The same for an inode that this thread just created with `record`: no store read.
  std::shared_ptr<LiveInode> AcquireNew(InodeId inode, const InodeRecord& record);

  // Puts live size, times, allocated and `cacheable` over `attributes`, and the same over an object's info.
  void Overlay(Attributes& attributes);
  void Overlay(ObjectInfo& info);
  // nullopt when the inode is not live.
  std::optional<LiveView> View(InodeId inode);

  // A stable view of the content of `inode` as `record` (read from the newest state) or its live state has it.
  Result<ContentView> OpenContent(InodeId inode, const InodeRecord& record);

  // While it is held, nobody can acquire the inode. Empty (false) when somebody holds it now: then the
  // remover leaves an orphan row, and the last holder reaps.
  class RemovalClaim {
   public:
    RemovalClaim() = default;
    RemovalClaim(LiveTable* table, InodeId inode) : table_(table), inode_(inode) {}
    RemovalClaim(RemovalClaim&& other) noexcept;
    RemovalClaim& operator=(RemovalClaim&& other) noexcept;
    ~RemovalClaim();
    explicit operator bool() const { return table_ != nullptr; }

   private:
    LiveTable* table_ = nullptr;
    InodeId inode_;
  };
  RemovalClaim TryClaimRemoval(InodeId inode);

  // The transaction that removed the last name of `inode` left an orphan row: reap it when the last holder
  // goes (or now, if none). Also for directories that a kernel still knows (`origin` != 0: until Forget).
  void Orphaned(InodeId inode, OriginId origin);
  void Forget(OriginId origin, InodeId inode);
  // Removes an orphan inode now: row, content, xattrs, orphan row.
  Status Reap(InodeId inode);

  // Writes every dirty inode's state into its row; with `older_than_ns` only those dirty for longer.
  Status SettleAll(std::int64_t older_than_ns);
  std::uint64_t live_count() const;
  std::uint64_t handle_count() const;

  // Recovery at start-up: open-for-write rows (sizes from blobs, clipped: hazards 5.3), orphans, blobs of
  // the unsettled id range that no row names.
  Status Recover();

 private:
  friend class LiveInode;
  struct Shard;
  Shard& ShardOf(InodeId inode);
  Core& core_;
  struct State;
  std::unique_ptr<State> state_;
};

// Opens a handle on a live inode: fixes the inode's access mode at the first one, truncates when
// `options.truncate` says so, and makes the open-for-write row durable before a writable passthrough handle
// is answered. `fresh`: this thread just created the file and nobody else can hold it.
enum class Freshness : std::uint8_t { kExisting, kFresh };
Result<std::shared_ptr<FileHandle>> OpenHandle(Core& core, std::shared_ptr<LiveInode> live,
                                               const Caller& caller, const OpenOptions& options,
                                               Freshness fresh);

// truncate(2) without a handle, and utimensat on an inode that may be live. Both acquire, act, settle and
// let go.
Status TruncateInode(Core& core, const Caller& caller, InodeId inode, std::uint64_t size,
                     bool kill_privileges);
// Writes what is dirty into the row, so that a change of times that follows is the last one. Nothing to do
// when the inode is not live.
Status SettleInode(Core& core, InodeId inode);
// The row of a live inode changed by another operation (chmod, chown, link, unlink, utimensat): what
// LiveInode keeps of it is read again before it is used.
void RowChanged(Core& core, InodeId inode);

}  // namespace amphora::fs
