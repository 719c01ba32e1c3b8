#include "meta/rocks_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "meta/rocks_log.h"
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
  // Index and filters count against the cache, so that memory stays bounded however many rows there
  // are; in parts, because one whole filter (a megabyte) may not fit into a shard of the cache, and
  // then each lookup would read it again (measured: 280 us instead of 1).
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.pin_top_level_index_and_filter = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = 16 << 10;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

rocksdb::ColumnFamilyOptions Common(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory = Tables(cache);
  family.merge_operator = NewMergeValueOperator();
  // TransactionDB would keep flushed memtables for conflict checks against snapshots; our
  // transactions set no snapshot, so that memory would be wasted. 0 would mean its default, "keep".
  family.max_write_buffer_size_to_maintain = 1;
  // Rows of one kind (the first byte of a key) mostly arrive in key order: remembering where the
  // last one went spares most of the search in the memtable (a create costs 30 % less).
  family.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
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
  // Content that is read again comes from memory: a read from a blob file is a system call and,
  // without the processor's CRC instruction (Debian's library), 4 KiB of table lookups: a quarter
  // more 4 KiB GETs a second. It goes in at the lowest priority, below indexes and filters.
  family.blob_cache = cache;
  family.blob_file_size = options.content_memtable_bytes;  // one flush, one file
  family.blob_compression_type = rocksdb::kNoCompression;
  family.enable_blob_garbage_collection = true;
  // Random overwrites of a live set cost 2.0 to 2.6 bytes written per byte of content with these,
  // log included, and twice the live set on the disk; 0.5 costs 3.0, 0.1 three times the live set.
  family.blob_garbage_collection_age_cutoff = 0.25;
  family.blob_garbage_collection_force_threshold = 0.5;
  return family;
}

}  // namespace

rocksdb::DBOptions DatabaseOptions(const RocksOptions& options) {
  rocksdb::DBOptions database;
  database.create_if_missing = true;
  database.create_missing_column_families = true;
  // Excludes insertion hints, and never applies to batches with merges, which are most of ours.
  database.allow_concurrent_memtable_write = false;
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
  // Not to RocksDB's LOG file: on a full disk, a library built with assertions (Debian's is) aborts
  // the process at the second message that it can't write there.
  database.info_log = NewForwardingLogger();
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
