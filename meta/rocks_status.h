// RocksDB's statuses as our errors, and the fence that keeps exceptions inside meta/. Internal to
// the RocksDB store: only rocks_*.cc include it. Thread-safe.
#pragma once

#include <rocksdb/status.h>

#include <exception>
#include <utility>

#include "meta/base/result.h"

namespace amphora::meta {

// `status` must be an error. kConflict when running the transaction again may help. Logs what is
// wrong with the disk or the data (at most one line a second), because an Error carries no text.
Error ToError(const rocksdb::Status& status);

inline Status ToStatus(const rocksdb::Status& status) {
  if (status.ok()) return Ok();
  return ToError(status);
}

// Logs and answers kIo.
Error ExceptionError(const char* what);

// Runs `body`, which returns a Result, and turns an exception of RocksDB or of the standard library
// (no memory, no thread) into kIo.
template <typename Body>
auto Guarded(Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& exception) {
    return ExceptionError(exception.what());
  } catch (...) {
    return ExceptionError("unknown exception");
  }
}

}  // namespace amphora::meta
