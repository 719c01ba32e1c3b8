#include "cli/control/protocol.h"

namespace amphora::cli {
namespace {

unsigned StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kNoSuchBucket:
    case ErrorCode::kNoSuchVolume:
    case ErrorCode::kNoSuchKey:
      return 404;
    case ErrorCode::kExists:
    case ErrorCode::kNotEmpty:
    case ErrorCode::kBucketNotEmpty:
    case ErrorCode::kBucketHasLinks:
    case ErrorCode::kBusy:
      return 409;
    case ErrorCode::kNotPermitted:
    case ErrorCode::kAccessDenied:
    case ErrorCode::kNotOwned:
      return 403;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kBadName:
    case ErrorCode::kNameTooLong:
    case ErrorCode::kNotDirectory:
      return 400;
    default:
      return 500;
  }
}

}  // namespace

ControlReply ErrorReply(unsigned status, std::string_view code, std::string_view message) {
  return {status, {{"error", {{"code", code}, {"message", message}}}}};
}

ControlReply ErrorReply(const std::string& what, const Error& error) {
  std::string text = what + ": " + std::string(Meaning(error.code()));
  if (!error.detail().empty()) text += " (" + std::string(error.detail()) + ")";
  return ErrorReply(StatusOf(error.code()), Name(error.code()), text);
}

Failure FailureOf(const Json& error) {
  Failure failure;
  failure.text = error.value("message", "the daemon failed without a word");
  return failure;
}

std::string ToLine(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace amphora::cli
