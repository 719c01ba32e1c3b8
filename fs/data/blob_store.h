// Where large content lives: runs of bytes by blob id. The local implementation (local_blobs.h)
// keeps one file per blob; a cluster's will keep RADOS objects. Thread-safe.
//
// A blob's *name* is durable before Take() answers it, so that after Blob::Sync() a row may name it
// (hazards 5.2). Ids come from a durable range and are never reused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "fs/types.h"

namespace amphora::fs {

struct BlobFigures {
  std::uint64_t size = 0;
  std::uint64_t allocated = 0;  // bytes on disk
  Time modified;
  Time changed;
};

// An open blob. Reads and writes like pread and pwrite, but whole. Stays valid after Remove().
class Blob {
 public:
  virtual ~Blob() = default;
  virtual BlobId id() const = 0;
  virtual Result<std::size_t> Read(std::uint64_t offset, std::span<std::byte> buffer) = 0;
  virtual Status Write(std::uint64_t offset, std::span<const std::byte> data) = 0;
  virtual Status Truncate(std::uint64_t size) = 0;
  virtual Status Allocate(std::uint64_t offset, std::uint64_t length, bool keep_size) = 0;
  virtual Status Punch(std::uint64_t offset, std::uint64_t length) = 0;
  virtual Status Zero(std::uint64_t offset, std::uint64_t length, bool keep_size) = 0;
  virtual Result<std::uint64_t> SeekData(std::uint64_t offset) = 0;
  virtual Result<std::uint64_t> SeekHole(std::uint64_t offset) = 0;
  virtual Result<BlobFigures> Figures() = 0;
  // fdatasync: content and size. A failure poisons this blob: later calls fail too.
  virtual Status Sync() = 0;
  // A local file descriptor for passthrough and sendfile, open read-write; -1 where there is none.
  // It is this blob's until BlobStore::Exchange, which waits for no user of it.
  virtual int descriptor() const = 0;
  // No later write or sync of it succeeds, and BlobStore::IsPoisoned says so.
  virtual void Poison() = 0;
  // Whether anybody but this object has the file open, or mapped: a kernel whose handle is closed.
  // Only with CanPassThrough(); ask while no handle in passthrough is left.
  virtual Result<bool> IsUsedElsewhere() = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // A fresh empty blob with a durable name.
  virtual Result<std::shared_ptr<Blob>> Take() = 0;
  // kCorrupt when there is no such blob (a row named it).
  virtual Result<std::shared_ptr<Blob>> Open(BlobId blob) = 0;
  // A fresh blob with the same bytes: reflink where the disk can, else copied. `length`: how much.
  virtual Result<std::shared_ptr<Blob>> Clone(Blob& source, std::uint64_t length) = 0;
  // Copies a range; shares extents where the disk can.
  virtual Result<std::uint64_t> CopyRange(Blob& source, std::uint64_t offset, Blob& target,
                                          std::uint64_t target_offset, std::uint64_t length) = 0;
  // Swaps the files of two blobs that hold the same durable bytes and that nobody writes: who has
  // the file of one open past its Blob object (a kernel, a mapping) has the other's from now on;
  // who reads through Blob objects notices nothing. Waits for reads in flight. The new names are
  // durable at return. A failure has changed nothing, or both blobs are poisoned.
  virtual Status Exchange(Blob& one, Blob& other) = 0;
  // Whether Exchange() works here at all.
  virtual bool CanExchange() const = 0;
  // Idempotent: a missing blob is no error.
  virtual Status Remove(BlobId blob) = 0;
  virtual bool CanReflink() const = 0;
  // Whether a blob exists, for check; and its size on disk.
  virtual Result<std::optional<BlobFigures>> Find(BlobId blob) = 0;
  // Calls `visit` for every stored blob of [begin, end), also prepared ones that nobody took yet;
  // in no order. An error of `visit` ends it and is returned.
  virtual Status ForEach(BlobId begin, BlobId end, const std::function<Status(BlobId)>& visit) = 0;
  // Whether somebody outside this process's Blob objects can still write into the blob: a shared
  // mapping of a passthrough handle outlives its release (hazards 1.1). Ask only while no Blob
  // object of it lives and none can be opened.
  virtual Result<bool> HasForeignWriters(BlobId blob) = 0;
  // Whether HasForeignWriters can be answered here at all. Where it can't, nobody may get a
  // descriptor to write through.
  virtual bool CanPassThrough() const = 0;
  // Whether a sync of the blob failed since the store was opened: its bytes are in doubt, and no
  // later success, of SyncAll either, may cover them.
  virtual bool IsPoisoned(BlobId blob) = 0;
  // Like Sync() of every blob written before this call that is not poisoned, at the price of one. A
  // failure says nothing about any single blob: sync those one by one then.
  virtual Status SyncAll() = 0;
  // At a clean stop: removes prepared blobs that nobody took. Take() is refused afterwards.
  virtual Status Drain() = 0;
};

}  // namespace amphora::fs
