#include "meta/base/error.h"

#include <cerrno>
#include <cstring>

namespace amphora {

Error Error::FromErrno(int system_errno, const char* detail) {
  switch (system_errno) {
    case ENOSPC:
      return Error(ErrorCode::kNoSpace, detail, system_errno);
    case EDQUOT:
      return Error(ErrorCode::kQuotaExceeded, detail, system_errno);
    case EFBIG:
      return Error(ErrorCode::kFileTooLarge, detail, system_errno);
    case EINVAL:
      return Error(ErrorCode::kInvalidArgument, detail, system_errno);
    case EOPNOTSUPP:
      return Error(ErrorCode::kUnsupported, detail, system_errno);
    default:
      return Error(ErrorCode::kIo, detail, system_errno);
  }
}

namespace {

struct Row {
  ErrorCode code;
  LogLevel level;
  std::string_view name;
  std::string_view meaning;
};

constexpr Row kRows[] = {
#define AMPHORA_ERROR(name, number, level, meaning) \
  {ErrorCode::name, LogLevel::level, #name, meaning},
#include "meta/base/errors.def"
#undef AMPHORA_ERROR
};

const Row& Find(ErrorCode code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row;
  }
  static constexpr Row kUnknown = {ErrorCode::kIo, LogLevel::kError, "kUnknown", "unknown error"};
  return kUnknown;
}

}  // namespace

std::string_view Name(ErrorCode code) { return Find(code).name.substr(1); }
std::string_view Meaning(ErrorCode code) { return Find(code).meaning; }
LogLevel LevelOf(ErrorCode code) { return Find(code).level; }

std::string Error::ToString() const {
  std::string text(Meaning(code_));
  if (detail_ != nullptr) text.append(" (").append(detail_).append(")");
  if (errno_ != 0) text.append(": ").append(std::strerror(errno_));
  return text;
}

}  // namespace amphora
