// Live inodes: the state of files that are open, shared by all handles of every mount and seen by
// the S3 face at once. An inode is live from its first Acquire to the last release; and longer,
// without a handle, while something of it is unfinished: a settle that failed, a blob that was
// written and not yet synced (its open-for-write row stands), or a mapping that outlives its
// writable passthrough handle (hazards 1.1). The collector's thread finishes these.
//
// The inode row is the truth for owner, mode, links and xattrs; while an inode is dirty its size,
// times and content are in its LiveInode (live_inode.h). Settle writes them into the row.
//
// What operations on names and attributes owe this table:
//  - SettleInode before a transaction that sets times of a regular file, and before one that gives
//    an orphan (links == 0) a name; Adopted after the latter's commit.
//  - RowChanged or NoteCommit after a commit that changed a row or a name of a regular file, so
//    that a later fsync of an open handle covers it.
//  - SyncData(source) before a rename over an existing file (hazards 5.5).
//
// Locks, in order: LiveInode's io lock → a transaction's row locks → a shard's lock and LiveInode's
// figures lock, which are leaves. So none of these calls may be made inside a transaction, except
// TryClaim, Overlay, View, RowChanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fs/data/blob_store.h"
#include "fs/handle.h"
#include "fs/records.h"
#include "fs/types.h"

namespace amphora::fs {

class BlobPins;
class Core;
class LiveInode;
class LiveTable;

// What S3 and stat see of a live inode. It is at least as new as a row that was read before, except
// for times that SetAttributes gave since: the later `changed` tells.
struct LiveView {
  std::uint64_t size = 0;
  std::optional<std::uint64_t> allocated;  // where it differs from what the row's reader finds
  Time modified;
  Time changed;
  Time last_modified;
  std::uint64_t content_stamp = 0;
  bool dirty = false;                 // the row is older than this view
  std::string etag;                   // text; empty: the row's holds
  std::uint32_t taken = 0;            // permission bits that go with the next settle
  bool writable_passthrough = false;  // attributes must not be cached
};

// A stable view of the content for a reader (GET, copy): never torn (hazards section 5).
struct ContentView {
  std::string inline_bytes;    // when there is no blob; zeros follow up to `size` (sparse files)
  std::shared_ptr<Blob> blob;  // nobody writes into it while `pin` lives, unless `may_change`
  std::shared_ptr<void> pin;
  std::vector<ExtentRecord>
      extents;  // when there are several blobs; pinned for as long as it lives
  std::vector<std::shared_ptr<void>> extent_pins;
  std::uint64_t size = 0;
  // No reflink on this disk and somebody may write: buffered reads only, compare Figures() before
  // and after.
  bool may_change = false;
  // A kernel has the file open: a writer through it gets the file and we the copy (live_split.cc),
  // which only reads through the Blob object follow.
  bool buffered = false;
};

// Pins `blob` for a reader, for sending if that is possible.
void PinForReader(BlobPins& pins, BlobId blob, ContentView& view);
// The same for the blobs of its extents, which are kept too.
void PinForReader(LiveTable& table, ContentView& view);

// Content that a transaction may name in another row, as one more reference or as bytes of its own.
// Durable. While it lives nobody writes into its blobs.
struct SharedContent {
  ContentKind kind = ContentKind::kEmpty;
  std::string inline_bytes;
  std::vector<ExtentRecord> extents;  // kBlob: one; kExtents
  std::uint64_t size = 0;
  // What the transaction must find in the row still, unless the bytes are a copy.
  std::uint64_t content_stamp = 0;
  bool copy = false;            // of a file that is being written
  std::shared_ptr<Blob> fresh;  // the copy's blob: nobody's yet. Remove it when it is not used
  std::vector<std::shared_ptr<void>> pins;
  std::vector<std::shared_ptr<void>> keeps;
};

class LiveTable {
 public:
  explicit LiveTable(Core& core);
  ~LiveTable();
  LiveTable(const LiveTable&) = delete;
  LiveTable& operator=(const LiveTable&) = delete;

  // While it is held, nobody else can acquire or erase the inode: opening waits, a remover leaves
  // an orphan.
  class Claim {
   public:
    Claim() = default;
    Claim(LiveTable* table, InodeId inode) : table_(table), inode_(inode) {}
    Claim(Claim&& other) noexcept;
    Claim& operator=(Claim&& other) noexcept;
    ~Claim();
    explicit operator bool() const { return table_ != nullptr; }
    InodeId inode() const { return inode_; }

   private:
    friend class LiveTable;
    LiveTable* table_ = nullptr;
    InodeId inode_;
  };
  // For who removes a last name. Empty (false) when somebody holds the inode now: then an orphan
  // row is left, and Orphaned called after the commit.
  Claim TryClaim(InodeId inode);
  // For who is about to make the inode `fresh`.
  Claim ClaimNew(InodeId fresh);

  // For handles and truncate: reads the row when the inode is not live yet, and then hands it out
  // in `row` (else `row` becomes nullopt). Waits while the inode is being removed. kNotFound when
  // it is gone; kIsDirectory or kInvalidArgument unless a regular file.
  Result<std::shared_ptr<LiveInode>> Acquire(InodeId inode,
                                             std::optional<InodeRecord>* row = nullptr);
  // The same for an inode that this thread just created with `record`, under a `claim` taken before
  // the transaction: no store read, and nobody held or erased it in between.
  std::shared_ptr<LiveInode> AcquireNew(Claim claim, const InodeRecord& record);

  // Puts live size, times, allocated and `cacheable` over `attributes`, and the same over an
  // object's info. Cheap for what is not live.
  void Overlay(Attributes& attributes);
  void Overlay(ObjectInfo& info);
  // nullopt when the inode is not live or its row says it all.
  std::optional<LiveView> View(InodeId inode);

  // A stable view of the content of `inode`, whose row the caller just read from the newest state.
  // `record` is replaced by what belongs to that content (size, times, stamp, ETag) when a writer
  // has moved on since. kNotFound: the inode is gone meanwhile; look the key up again.
  Result<ContentView> OpenContent(InodeId inode, InodeRecord& record);

  // The content of `inode`, whose row the caller just read, for a copy of the object. Settles and
  // syncs what is live; a file in passthrough, or one that is written all the time, is cloned
  // (hazards 1.2). kNotFound as OpenContent. Blocks.
  Result<SharedContent> ShareContent(InodeId inode, const InodeRecord& record);

  // The transaction that removed the last name of `inode` left an orphan row: reap it when the last
  // holder goes (or now, if none). With `origin` != 0 also the kernel behind that mount holds it,
  // until Forget or ForgetAll. Also for directories.
  void Orphaned(InodeId inode, OriginId origin);
  // An orphan got a name again.
  // `size`: what the transaction added to the bucket's counters, `credit` how much of it HeldBytes
  // had answered before.
  void Adopted(InodeId inode, std::uint64_t size, std::uint64_t credit);
  // What the open file holds of its bucket's ledger beyond the counters; 0 unless it is live.
  std::uint64_t HeldBytes(InodeId inode) const;
  void Forget(OriginId origin, InodeId inode);
  // The mount is gone with everything its kernel knew.
  void ForgetAll(OriginId origin);
  // Removes an orphan inode now: row, content, xattrs, orphan row. No row: no error.
  Status Reap(InodeId inode);

  // Writes the live state into the row, if there is something to write; also of an orphan.
  Status Settle(InodeId inode);
  // Whether content of `inode` may wait for its settle or its sync. Takes no lock that is held over
  // a transaction.
  bool IsUnfinished(InodeId inode) const;
  // Whether giving `inode` this size would wait for the disk: its content is shared, and copied
  // first. A hint.
  bool ResizeMayWait(InodeId inode, std::uint64_t size) const;
  // fdatasync of content that is in a blob and not durable yet, live or lingering; then settles.
  // Blocks.
  Status SyncData(InodeId inode);
  void NoteCommit(InodeId inode, Ticket ticket);
  // Before the transaction that gives a file this time of modification, so that what is settled
  // from now on does not bring an older one back.
  void NoteModified(InodeId inode, Time modified);

  // Writes every dirty inode's state into its row; with `older_than_ns` only those dirty for
  // longer.
  Status SettleAll(std::int64_t older_than_ns);
  // The collector's share: syncs what was closed unsynced and clears its open-for-write rows, asks
  // whether mappings are gone, reaps what could not be reaped.
  Status Maintain();
  // At a clean stop, when no handle is used any more: settles all, syncs blobs, removes prepared
  // blobs and marks blob ids settled.
  Status Stop();
  std::uint64_t live_count() const;
  std::uint64_t handle_count() const;
  // Writers copy a pinned blob first; the collector leaves a kept one alone, which its reader opens
  // when it gets there.
  BlobPins& pins();
  BlobPins& keeps();

  // Recovery at start-up (recovery.cc), before anything else uses the table: open-for-write rows
  // (sizes from blobs, clipped: hazards 5.3), orphans, blobs of the unsettled id range that no row
  // names.
  Status Recover();

 private:
  friend class LiveInode;
  // What the last settles wrote, so that who read a row just before still answers with what is
  // newest.
  struct Settled {
    std::uint64_t size = 0;
    Time modified;
    Time changed;
    Time last_modified;
    std::uint64_t content_stamp = 0;
    std::uint32_t taken = 0;                 // permission bits
    std::optional<std::uint64_t> allocated;  // where the row alone says it
  };
  void NoteSettled(InodeId inode, const Settled& settled);
  std::optional<Settled> RecentlySettled(InodeId inode) const;
  std::pair<std::shared_ptr<LiveInode>, std::optional<Settled>> Look(InodeId inode) const;
  void CountHandles(int change);

  struct Entry;
  struct Shard;
  struct State;
  // Holds what is live; else nobody makes it live before `otherwise` ran.
  Status PinExtents(InodeId inode, const InodeRecord& record, ContentView& view);
  std::shared_ptr<LiveInode> HoldLive(InodeId inode, const std::function<void()>& otherwise);
  Shard& ShardOf(InodeId inode) const;
  std::shared_ptr<LiveInode> Wrap(std::shared_ptr<LiveInode> live);
  // The live inode without holding it against removal; null when there is none.
  std::shared_ptr<LiveInode> Peek(InodeId inode) const;
  std::vector<std::shared_ptr<LiveInode>> PeekAll() const;
  void MarkOrphan(Entry& entry);
  void Drop(const std::shared_ptr<LiveInode>& live);
  void ReapIfUnheld(InodeId inode);
  void ReleaseClaim(InodeId inode);
  void TryFinish(InodeId inode);
  Status SyncMany(const std::vector<std::shared_ptr<LiveInode>>& lingering);

  Core& core_;
  std::unique_ptr<State> state_;
};

// Opens a handle on a live inode: fixes the inode's access mode at the first one, truncates when
// `options.truncate` says so, and makes the open-for-write row durable before a writable
// passthrough handle is answered (hazards 5.3: that waits for a log sync). `fresh`: this thread
// just created the file and nobody else can hold it.
enum class Freshness : std::uint8_t { kExisting, kFresh };
Result<std::shared_ptr<FileHandle>> OpenHandle(Core& core, std::shared_ptr<LiveInode> live,
                                               const Caller& caller, const OpenOptions& options,
                                               Freshness fresh);

// truncate(2) without a handle, and utimensat on an inode that may be live. Both acquire, act,
// settle and let go: visible and kill -9-safe at return.
struct Truncation {
  std::uint64_t size = 0;
  // By descriptor the times move in any case, by path where the size does.
  bool by_handle = false;
  bool kill_privileges = false;
  const MembershipSource* membership = nullptr;
};
Status TruncateInode(Core& core, const Caller& caller, InodeId inode, const Truncation& truncation);
// Writes what is dirty into the row, so that a change of times that follows is the last one.
// Nothing to do when the inode is not live.
Status SettleInode(Core& core, InodeId inode);
// The row of a live inode, or a name of it, was changed by another operation (chmod, chown, link,
// unlink, rename, utimensat) whose commit is done: a later fsync waits for that too.
void RowChanged(Core& core, InodeId inode);

}  // namespace amphora::fs
