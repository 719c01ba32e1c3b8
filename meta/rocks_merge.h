// How RocksDB folds merged rows: the operator that adds MergeValues. Internal to the RocksDB store.
// Thread-safe: it has no state.
#pragma once

#include <rocksdb/merge_operator.h>

#include <memory>

namespace amphora::meta {

// Its name is written into the store: it never changes.
std::shared_ptr<rocksdb::MergeOperator> NewMergeValueOperator();

}  // namespace amphora::meta
