// One live regular file: its content, size and times while it is open, shared by all handles. Only
// fs/data includes this. Thread-safe.
//
// Content is in *memory* (at most the inline limit; a tail of zeros may follow, also of a sparse
// file that was never written), in one *blob*, or in *extents* (read only, until a write makes one
// blob of them). `Committed` says what the row in the store has.
//
// Rules that hold all the time (hazards sections 1 and 5):
//  1. A blob is written in place only while it is *owned*: one reference, no pin. Else cloned; and
//     if a kernel has its file open, the others get the clone (live_split.cc).
//  2. A blob that a row names is written in place only after its open-for-write row is committed,
//     and synced only after that row is durable.
//  3. A settle that drops committed bytes which were copied into a new blob waits for its sync.
//  4. All handles have one AccessMode, from the first open to the last release and lease. In
//     passthrough the blob is claimed (blob_pins.h), so no other inode's handles are.
//
// Locks: `io_` orders content and settles (shared: readers); `figures_mutex_` is a leaf that guards
// size, times and flags, so that stat never waits for a disk. Size and times change under
// figures_mutex_: in daemon mode with io_ held too; of a blob that the kernel writes, by whoever
// looks.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fs/changes.h"
#include "fs/data/blob_store.h"
#include "fs/data/fair_shared_mutex.h"
#include "fs/data/live.h"
#include "fs/data/privileges.h"
#include "fs/data/quota_charge.h"
#include "fs/handle.h"
#include "fs/records.h"
#include "fs/types.h"

namespace amphora::fs {

class Core;
class Tx;

enum class SettleFor : std::uint8_t {
  kBackground,  // leaves an orphan alone
  kClose,       // as kBackground, but content that replaced a truncated file's is synced first
  kForce,       // an orphan too
};

class LiveInode {
 public:
  struct Writer {
    OriginId origin;
    bool append = false;
    Privileges privileges = Privileges::kKept;
    const MembershipSource* membership = nullptr;
    std::uint32_t takes = 0;  // permission bits, as found out from the two
  };

  LiveInode(Core& core, LiveTable& table, InodeId inode, const InodeRecord& record);
  ~LiveInode();
  LiveInode(const LiveInode&) = delete;
  LiveInode& operator=(const LiveInode&) = delete;

  InodeId id() const { return id_; }

  // live_open.cc: handles and their mode.
  Result<AccessMode> AddHandle(const Caller& caller, const OpenOptions& options, Freshness fresh);
  void RemoveHandle(const OpenOptions& options);
  int backing_fd() const;
  bool KeepsCache(OriginId origin) const;
  // Asks whether mappings are gone; true when nothing can write into the blob any more.
  bool TryEndPassthrough();
  // The same for who must not wait: nothing happens while somebody works with the content.
  void TryEndPassthroughNow();

  // live_inode.cc: bytes.
  Result<std::size_t> Read(std::uint64_t offset, std::span<std::byte> buffer);
  Result<std::size_t> Write(std::uint64_t offset, std::span<const std::byte> data,
                            const Writer& writer);
  Status Truncate(std::uint64_t size, const Writer& writer);
  // The same, but nothing where the size is that already and no privilege is taken.
  Status Resize(std::uint64_t size, const Writer& writer);
  Status Allocate(AllocateMode mode, std::uint64_t offset, std::uint64_t length,
                  const Writer& writer);
  Result<std::uint64_t> Seek(SeekTarget target, std::uint64_t offset);

  // live_copy.cc.
  static Result<std::uint64_t> Copy(LiveInode& source, std::uint64_t offset, LiveInode& target,
                                    std::uint64_t target_offset, std::uint64_t length,
                                    const Writer& writer);

  // live_settle.cc: durability.
  Status Settle(SettleFor reason);
  Status SyncBlob();
  Status Sync();  // fsync
  bool FlushMayWait() const;
  bool WriteMayWait() const;
  bool ResizeMayWait(std::uint64_t size) const;
  // For a sync of many blobs at once: how much is to be covered (0: nothing), and that it was. The
  // row's durability is waited for by the caller, between the two calls.
  std::uint64_t UnsyncedWrites() const;
  void NoteSynced(BlobId blob, std::uint64_t covered);
  BlobId blob() const;
  // A failure of background work: one log line, not one a second.
  void ReportOnce(std::string_view event, const Error& error);
  // After the last release: syncs the blob and clears the open-for-write row, unless a handle came.
  Status Finish();
  void NoteCommit(Ticket ticket);
  void NoteModified(Time modified);
  // The row was removed while nobody held this: nothing is left to do but what only we know of.
  void NoteRemoved();

  // live_view.cc: what others see.
  // nullopt: never changed while live, and nobody can change it unseen.
  std::optional<LiveView> View();
  Result<ContentView> OpenContent(InodeRecord& record);
  // live_share.cc
  Result<SharedContent> ShareContent();
  std::uint64_t size() const { return size_.load(std::memory_order_relaxed); }

  bool dirty() const { return dirty_.load(std::memory_order_acquire); }
  std::int64_t dirty_since_ns() const { return dirty_since_ns_.load(std::memory_order_relaxed); }
  // Something must still be done although no handle is left.
  bool unfinished() const { return dirty() || open_row_.load() || lease_pending_.load(); }
  bool lease_pending() const { return lease_pending_.load(); }
  void set_orphan(bool orphan) {
    orphan_.store(orphan);
    if (orphan) charge_.Orphaned();
  }
  // It got a name; see QuotaCharge::Adopted.
  void Adopt(std::uint64_t size, std::uint64_t credit) {
    orphan_.store(false);
    charge_.Adopted(size, credit);
  }
  std::uint64_t held_bytes() const { return charge_.held(); }
  // S3 does not see it yet (BucketSettings::publish).
  bool unpublished() const { return unpublished_.load(); }
  Status Publish();  // live_settle.cc
  // The bucket has a quota of bytes: writers come to the daemon.
  bool limited() const { return charge_.limited(); }
  bool orphan() const { return orphan_.load(); }

 private:
  enum class Place : std::uint8_t { kMemory, kBlob, kExtents };
  static Place PlaceOf(ContentKind content);
  struct TrimAtEnd;
  struct Committed {
    ContentKind content = ContentKind::kEmpty;
    BlobId blob;
    std::uint64_t size = 0;
  };

  // With io_ held, exclusively unless said otherwise.
  Status Load();      // inline bytes, or extents, from the store
  Status OpenBlob();  // blob_ from blob_id_
  Status PrepareInPlace();
  Status CommitOpenRow();
  Status EraseOpenRow();
  Status MoveToBlob();
  Status CopyUp();
  // live_split.cc: before the first write in passthrough to a blob that others have too.
  Status SplitBeforeWrite();  // without io_
  Result<bool> MustSplit();
  Result<std::shared_ptr<Blob>> DurableCopy(Blob& blob) const;
  Status SplitHeld(std::shared_ptr<Blob> copy);
  Status CommitSplit(BlobId mine);
  Status JoinHeld();  // extents become one blob, before the first write
  std::optional<SharedContent> ShareHeld();
  Result<SharedContent> CloneHeld();
  void SetBlob(std::shared_ptr<Blob> blob);
  void AdoptBlob(std::shared_ptr<Blob> blob);
  void LeaveBlob();  // content goes elsewhere; an uncommitted blob is removed
  Result<std::size_t> ReadHeld(std::uint64_t offset,
                               std::span<std::byte> buffer);  // shared is enough
  Status WriteHeld(std::uint64_t offset, std::span<const std::byte> data);
  Status TruncateHeld(std::uint64_t new_size);
  Status ZeroMemory(std::uint64_t offset, std::uint64_t length);
  Status AllocateHeld(AllocateMode mode, std::uint64_t offset, std::uint64_t length);
  bool Unsynced() const;
  bool MustSyncBeforeSettle(SettleFor reason) const;
  void NoteWrite(const Writer& writer, std::uint64_t new_size);
  // After a change that failed half-way: the content is not what it was, its size is.
  void NoteFailedWrite(const Writer& writer);
  Result<bool> HasPrivileges();  // setuid or setgid
  // Which of setuid and setgid the writer takes away; and if any, what to tell the mounts.
  Result<std::uint32_t> PrivilegesTaken(const Writer& writer);
  Change AttributesChange() const;
  Result<AccessMode> ChooseMode(const OpenOptions& options, Freshness fresh);
  bool ClaimBlob();
  void EndHandles();
  bool EndPassthroughHeld();
  bool MayStillBeWritten();
  Result<bool> IsShareable();  // whether the blob has one reference and no pin
  Status SettleHeld(std::vector<Change>& published);
  // By how much the bucket's counters grew; an orphan's bytes are not in them.
  struct SettledGrowth {
    bool counted = true;
    std::int64_t bytes = 0;
  };
  // Nothing: there is no row any more.
  Result<std::optional<SettledGrowth>> SettleInto(Tx& tx);
  // With both inodes' io_ held.
  bool CanShareWith(const LiveInode& target, std::uint64_t length) const;
  void SyncForSharing();
  Status ShareInto(LiveInode& target, const Writer& writer, std::vector<Change>& published);
  Result<std::uint64_t> CopyInto(std::uint64_t offset, LiveInode& target,
                                 std::uint64_t target_offset, std::uint64_t length);

  // With figures_mutex_ held.
  void MarkDirty(const Writer& writer);
  std::optional<BlobFigures> LookAtBlob() const;
  void RefreshFromBlob();
  LiveView MakeView();

  Core& core_;
  LiveTable& table_;
  const InodeId id_;
  BucketId bucket_;
  QuotaCharge charge_;  // grows and settles with io_ held

  mutable FairSharedMutex io_;
  // Guarded by io_.
  Place place_ = Place::kMemory;
  std::string memory_;                 // kMemory: the first bytes; zeros follow up to size_
  bool loaded_ = true;                 // memory_ or extents_ is right; else it is in the store
  std::vector<ExtentRecord> extents_;  // kExtents: never written; a write joins them first
  BlobId blob_id_;                     // kBlob
  std::shared_ptr<Blob> blob_;         // kBlob: open, when needed
  bool owned_ = false;                 // rule 1 was checked
  Committed committed_;
  bool gone_ = false;         // the row was removed
  bool replaced_ = false;     // committed bytes were truncated away since the last sync
  std::uint64_t writes_ = 0;  // changes of the blob so far,
  std::uint64_t synced_ = 0;  // of these durable,
  std::uint64_t copied_ = 0;  // and the one that copied committed bytes into it
  Ticket open_row_ticket_ = 0;
  AccessMode mode_ = AccessMode::kDaemon;
  std::uint64_t handles_ = 0;
  std::uint64_t writers_ = 0;
  std::uint64_t executors_ = 0;       // programs that run it
  bool passthrough_written_ = false;  // a writable passthrough handle exists or existed
  std::shared_ptr<void> claim_;       // of the blob, in passthrough
  std::atomic<Ticket> last_ticket_{0};
  std::atomic<bool> open_row_{false};  // the open-for-write row stands
  std::atomic<bool> lease_pending_{false};
  std::atomic<bool> orphan_{false};
  std::atomic<bool> reported_{false};
  std::atomic<bool> unpublished_{false};

  mutable std::mutex figures_mutex_;
  // Guarded by figures_mutex_; the size may be read without.
  std::atomic<std::uint64_t> size_{0};
  Time modified_;
  Time changed_;
  Time last_modified_;
  std::uint64_t content_stamp_ = 0;
  std::uint64_t changes_ = 0;  // counts every change of what this lock guards
  bool rewritten_ = false;     // content_stamp_ is ours, not the one that the row came with
  bool observed_ = false;      // content_stamp_ was shown to somebody
  std::uint32_t taken_ = 0;    // permission bits that the next settle takes away
  // The row's, as far as known: says at no cost that a write takes no setuid or setgid bit away.
  std::optional<std::uint32_t> permissions_;
  OriginId origin_;                   // who wrote since the last settle; 0: several, or S3
  std::shared_ptr<Blob> shown_blob_;  // blob_, for those who hold this lock only
  std::uint64_t stored_ = 0;          // bytes in memory_; the rest of the size is a hole
  BlobId shown_blob_id_;              // valid while place_ is kBlob
  std::shared_ptr<Blob> live_blob_;   // of a writable passthrough: its figures are the truth
  BlobId mapped_blob_;                // after its last release, until no mapping is left
  BlobFigures seen_;                  // of either, when last looked at
  Time seen_at_;
  std::atomic<bool> dirty_{false};
  std::atomic<std::int64_t> dirty_since_ns_{0};
};

}  // namespace amphora::fs
