#include "meta/rocks_status.h"

#include <atomic>
#include <cstdint>
#include <string>

#include "meta/base/clock.h"
#include "meta/base/log.h"

namespace amphora::meta {
namespace {

// A store whose disk is full fails every commit in the same way: say it once a second, not 50,000
// times.
bool MayLogNow() {
  constexpr std::int64_t kPause = 1'000'000'000;
  static std::atomic<std::int64_t> next{0};
  const std::int64_t now = MonotonicNow();
  std::int64_t due = next.load(std::memory_order_relaxed);
  return now >= due && next.compare_exchange_strong(due, now + kPause);
}

void LogFailure(ErrorCode code, const std::string& text) {
  if (!MayLogNow()) return;
  std::string line = "event=store_error";
  AppendField(line, "code", Name(code));
  AppendField(line, "status", text);
  Log(LogLevel::kError, line);
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
