// All counters of the process, named in one place. Cheap relaxed atomics; exported by s3/ at
// /-/metrics and read by bench/guard through the control socket. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace amphora {

// AMPHORA_COUNTER(enumerator, exported name, what one count means)
#define AMPHORA_COUNTERS(X)                                                                   \
  X(kStoreGets, "store_gets", "point reads of the metadata store")                            \
  X(kRowCacheHits, "row_cache_hits", "point reads that were answered from memory")            \
  X(kStoreScanRows, "store_scan_rows", "rows that range scans of the metadata store read")    \
  X(kStoreScans, "store_scans", "range scans of the metadata store")                          \
  X(kStoreWrites, "store_writes", "rows written or erased in the metadata store")             \
  X(kStoreCommits, "store_commits", "transactions committed")                                 \
  X(kStoreConflicts, "store_conflicts", "transactions run again after a conflict")            \
  X(kStoreSyncs, "store_syncs", "syncs of the metadata log")                                  \
  X(kBlobSyncs, "blob_syncs", "fdatasync calls on blobs")                                     \
  X(kBlobsCollected, "blobs_collected", "blob files removed by the collector")                \
  X(kRecordCacheHits, "record_cache_hits", "buckets and access keys found in memory")         \
  X(kRecordCacheMisses, "record_cache_misses", "buckets and access keys read from the store") \
  X(kMountRequests, "mount_requests", "FUSE requests that reached the daemon")                \
  X(kMountInvalidations, "mount_invalidations", "kernel cache invalidations sent")            \
  X(kMountFenceTimeouts, "mount_fence_timeouts", "fences given up after their bound")         \
  X(kS3Requests, "s3_requests", "HTTP requests served")                                       \
  X(kS3Errors4xx, "s3_errors_4xx", "HTTP requests answered with a 4xx status")                \
  X(kS3Errors5xx, "s3_errors_5xx", "HTTP requests answered with a 5xx status")                \
  X(kS3BytesIn, "s3_bytes_in", "body bytes received")                                         \
  X(kS3BytesOut, "s3_bytes_out", "body bytes sent")                                           \
  X(kAllocations, "allocations", "operator new calls; 0 unless AMPHORA_COUNT_ALLOCATIONS")

enum class Counter : std::size_t {
#define AMPHORA_COUNTER_ENUM(name, text, help) name,
  AMPHORA_COUNTERS(AMPHORA_COUNTER_ENUM)
#undef AMPHORA_COUNTER_ENUM
      kCount
};

// The FUSE requests that mount/ serves, by the kernel's names.
#define AMPHORA_MOUNT_OPERATIONS(X)    \
  X(kBatchForget, "batch_forget")      \
  X(kCopyFileRange, "copy_file_range") \
  X(kCreate, "create")                 \
  X(kFallocate, "fallocate")           \
  X(kFlock, "flock")                   \
  X(kFlush, "flush")                   \
  X(kForget, "forget")                 \
  X(kFsync, "fsync")                   \
  X(kFsyncdir, "fsyncdir")             \
  X(kGetattr, "getattr")               \
  X(kGetlk, "getlk")                   \
  X(kGetxattr, "getxattr")             \
  X(kLink, "link")                     \
  X(kListxattr, "listxattr")           \
  X(kLookup, "lookup")                 \
  X(kLseek, "lseek")                   \
  X(kMkdir, "mkdir")                   \
  X(kMknod, "mknod")                   \
  X(kOpen, "open")                     \
  X(kRead, "read")                     \
  X(kReaddir, "readdir")               \
  X(kReaddirplus, "readdirplus")       \
  X(kReadlink, "readlink")             \
  X(kRelease, "release")               \
  X(kRemovexattr, "removexattr")       \
  X(kRename, "rename")                 \
  X(kRmdir, "rmdir")                   \
  X(kSetattr, "setattr")               \
  X(kSetlk, "setlk")                   \
  X(kSetxattr, "setxattr")             \
  X(kStatfs, "statfs")                 \
  X(kStatx, "statx")                   \
  X(kSymlink, "symlink")               \
  X(kTmpfile, "tmpfile")               \
  X(kUnlink, "unlink")                 \
  X(kWrite, "write")

enum class MountOperation : std::size_t {
#define AMPHORA_MOUNT_OPERATION_ENUM(name, text) name,
  AMPHORA_MOUNT_OPERATIONS(AMPHORA_MOUNT_OPERATION_ENUM)
#undef AMPHORA_MOUNT_OPERATION_ENUM
      kCount
};

inline std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Counter::kCount)>
    g_counters{};
inline std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(MountOperation::kCount)>
    g_mount_operations{};

inline void Count(Counter counter, std::uint64_t amount = 1) {
  g_counters[static_cast<std::size_t>(counter)].fetch_add(amount, std::memory_order_relaxed);
}
inline std::uint64_t Value(Counter counter) {
  return g_counters[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
}

inline void Count(MountOperation operation) {
  g_mount_operations[static_cast<std::size_t>(operation)].fetch_add(1, std::memory_order_relaxed);
}
inline std::uint64_t Value(MountOperation operation) {
  return g_mount_operations[static_cast<std::size_t>(operation)].load(std::memory_order_relaxed);
}

std::string_view MountOperationName(MountOperation operation);
std::string_view CounterName(Counter counter);
std::string_view CounterHelp(Counter counter);

}  // namespace amphora
