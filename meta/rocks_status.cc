#include "meta/rocks_status.h"

#include <string>

#include "meta/base/log.h"
#include "meta/base/log_limit.h"

namespace amphora::meta {
namespace {

// A store whose disk is full fails every commit in the same way: within the limit.
void LogFailure(ErrorCode code, const std::string& text) {
  std::string line = "event=store_error";
  AppendField(line, "code", Name(code));
  AppendField(line, "status", text);
  LogLimited(LogLevel::kError, "event=store_error", std::move(line));
}

bool IsConflict(const rocksdb::Status& status) {
  return status.IsBusy() || status.IsTimedOut() || status.IsTryAgain() || status.IsExpired() ||
         status.IsMergeInProgress() || status.IsLockLimit();
}

Error Classify(const rocksdb::Status& status) {
  if (status.IsNoSpace()) return Error(ErrorCode::kNoSpace, "store");
  if (status.IsCorruption()) return Error(ErrorCode::kCorrupt, "store");
  if (status.IsInvalidArgument()) return Error(ErrorCode::kInvalidArgument, "store");
  return Error(ErrorCode::kIo, "store");
}

}  // namespace

Error ToError(const rocksdb::Status& status) {
  if (IsConflict(status)) return Error(ErrorCode::kConflict);
  const Error error = Classify(status);
  LogFailure(error.code(), status.ToString());
  return error;
}

Error ExceptionError(const char* what) {
  LogFailure(ErrorCode::kIo, std::string("exception: ") + what);
  return Error(ErrorCode::kIo, "exception in the store");
}

}  // namespace amphora::meta
