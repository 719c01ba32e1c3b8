// RocksDB's own messages in our log. Internal to the RocksDB store.
#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace amphora::meta {

// Warnings and errors only. Thread-safe.
std::shared_ptr<rocksdb::Logger> NewForwardingLogger();

}  // namespace amphora::meta
