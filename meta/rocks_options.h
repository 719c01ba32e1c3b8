// How the RocksDB store is tuned, and why. Internal to the RocksDB store.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <vector>

#include "meta/rocks_store.h"

namespace amphora::meta {

rocksdb::DBOptions DatabaseOptions(const RocksOptions& options);
// kRows and kContent, in the order of Table.
std::vector<rocksdb::ColumnFamilyDescriptor> ColumnFamilies(const RocksOptions& options);

}  // namespace amphora::meta
