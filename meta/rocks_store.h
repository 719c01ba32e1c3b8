// The embedded metadata store: RocksDB behind meta/kv.h. Pessimistic transactions (shared and
// exclusive key locks), untracked merges, one log-syncer thread that all durability waiters share.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "meta/kv.h"

namespace amphora::meta {

struct RocksOptions {
  std::string directory;  // created when missing
  std::size_t block_cache_bytes = 128u << 20;
  std::size_t rows_memtable_bytes = 64u << 20;
  std::size_t content_memtable_bytes = 64u << 20;
  // Which rows are kept in memory beside the blocks (row_cache.h): the first bytes of their keys;
  // and how many bytes of them.
  std::string cached_kinds{};
  std::size_t row_cache_bytes = 32u << 20;
  // How long a transaction waits for another's lock before it answers kConflict; 1 to 60,000.
  int lock_timeout_ms = 1000;
};

// kBusy when another process has the store open; kInvalidArgument for an option out of range; kIo
// or kCorrupt otherwise.
Result<std::unique_ptr<Store>> OpenRocksStore(const RocksOptions& options);

}  // namespace amphora::meta
