#include "meta/rocks_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "meta/rocks_merge.h"

namespace amphora::meta {
namespace {

// A quarter of the process's descriptors: the rest is for blobs, connections and handles.
int OpenFilesLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 4096;
  return static_cast<int>(std::clamp<rlim_t>(limit.rlim_cur / 4, 64, 4096));
}

std::shared_ptr<rocksdb::TableFactory> Tables(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = true;
  table.optimize_filters_for_memory = true;
  table.format_version = 5;
  table.block_size = 8 << 10;
  // Point reads dominate: a hash inside the block spares most of its binary search.
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  // Index and filters count against the cache, so that memory stays bounded, and those of the
  // newest level stay in it, so that a lookup of a missing name never waits for the disk.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

rocksdb::ColumnFamilyOptions Common(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory = Tables(cache);
  family.merge_operator = NewMergeValueOperator();
  // TransactionDB would keep flushed memtables for conflict checks against snapshots; our
  // transactions set no snapshot, so that memory would be wasted. 0 would mean its default, "keep".
  family.max_write_buffer_size_to_maintain = 1;
  family.memtable_whole_key_filtering = true;
  family.memtable_prefix_bloom_size_ratio = 0.05;
  return family;
}

rocksdb::ColumnFamilyOptions RowsFamily(const RocksOptions& options,
                                        const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = Common(cache);
  family.write_buffer_size = options.rows_memtable_bytes;
  family.max_write_buffer_number = 3;
  family.compression = rocksdb::kLZ4Compression;
  family.level_compaction_dynamic_level_bytes = true;
  // A directory that receives 10^6 creates has 10^6 merges of its dirstat row: fold each run of 32,
  // so that reading the row stays cheap.
  family.max_successive_merges = 32;
  return family;
}

rocksdb::ColumnFamilyOptions ContentFamily(const RocksOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = Common(cache);
  family.write_buffer_size = options.content_memtable_bytes;
  family.max_write_buffer_number = 3;
  // Content is what users store, often compressed already; compressing it again costs and gains
  // little.
  family.compression = rocksdb::kNoCompression;
  family.enable_blob_files = true;
  family.min_blob_size = 512;
  family.blob_file_size = 64u << 20;
  family.blob_compression_type = rocksdb::kNoCompression;
  family.enable_blob_garbage_collection = true;
  family.blob_garbage_collection_age_cutoff = 0.25;
  family.blob_garbage_collection_force_threshold = 0.5;
  return family;
}

}  // namespace

rocksdb::DBOptions DatabaseOptions(const RocksOptions& options) {
  rocksdb::DBOptions database;
  database.create_if_missing = true;
  database.create_missing_column_families = true;
  // The log holds the rows of both families: the slower one must not keep it for ever, and a
  // restart must not replay gigabytes.
  database.max_total_wal_size = 2 * (options.rows_memtable_bytes + options.content_memtable_bytes);
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  database.max_background_jobs = 4;
  database.max_open_files = OpenFilesLimit();
  // Written out evenly, so that no later fsync waits for a mountain of dirty pages.
  database.bytes_per_sync = 1 << 20;
  database.avoid_unnecessary_blocking_io = true;
  database.compaction_readahead_size = 2 << 20;
  database.max_log_file_size = 16 << 20;
  database.keep_log_file_num = 3;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  return database;
}

std::vector<rocksdb::ColumnFamilyDescriptor> ColumnFamilies(const RocksOptions& options) {
  const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  return {{rocksdb::kDefaultColumnFamilyName, RowsFamily(options, cache)},
          {"content", ContentFamily(options, cache)}};
}

}  // namespace amphora::meta
