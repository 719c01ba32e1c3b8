#include "s3/error.h"

namespace amphora::s3 {
namespace {

struct Row {
  std::string_view code;
  unsigned status;
  std::string_view message;
};

constexpr Row kRows[] = {
#define S3_ERROR(name, code, status, message) {code, status, message},
#include "s3/s3_errors.def"
#undef S3_ERROR
};

const Row& RowOf(S3Code code) { return kRows[static_cast<std::size_t>(code)]; }

LogLevel LevelOfStatus(unsigned status) {
  if (status >= 500 && status != 501) return LogLevel::kError;
  return status == 404 || status == 304 || status == 412 ? LogLevel::kDebug : LogLevel::kInfo;
}

// Of the four that only multipart uploads know.
S3Code CodeOfUpload(ErrorCode code) {
  if (code == ErrorCode::kInvalidPart) return S3Code::kInvalidPart;
  if (code == ErrorCode::kInvalidPartOrder) return S3Code::kInvalidPartOrder;
  return code == ErrorCode::kPartTooSmall ? S3Code::kEntityTooSmall : S3Code::kNoSuchUpload;
}

}  // namespace

Failure::Failure(S3Code s3_code) : Failure(s3_code, RowOf(s3_code).message) {}

Failure::Failure(S3Code s3_code, std::string_view text)
    : status(RowOf(s3_code).status),
      code(RowOf(s3_code).code),
      message(text),
      level(LevelOfStatus(status)) {}

Failure&& Failure::With(std::string_view element, std::string_view value) && {
  details.emplace_back(element, value);
  return std::move(*this);
}

bool Failure::Is(S3Code other) const { return code == RowOf(other).code; }

// Total by -Werror=switch: a new engine error does not compile before it is decided here.
S3Code CodeOf(ErrorCode code, Subject subject) {
  switch (code) {
    case ErrorCode::kNotFound:
      return S3Code::kNoSuchKey;
    case ErrorCode::kExists:
      return S3Code::kBucketAlreadyExists;
    case ErrorCode::kNotDirectory:
    case ErrorCode::kIsDirectory:
    case ErrorCode::kNotEmpty:
    case ErrorCode::kTextBusy:
      return S3Code::kOperationAborted;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kRangeTooLarge:
      return S3Code::kInvalidArgument;
    case ErrorCode::kNameTooLong:
      return subject == Subject::kBucket ? S3Code::kInvalidBucketName : S3Code::kKeyTooLong;
    case ErrorCode::kBadName:
      return subject == Subject::kBucket ? S3Code::kInvalidBucketName : S3Code::kInvalidUri;
    case ErrorCode::kNotPermitted:
    case ErrorCode::kAccessDenied:
    case ErrorCode::kNotOwned:
      return S3Code::kAccessDenied;
    case ErrorCode::kCrossBucket:
    case ErrorCode::kTooManyLinks:
      return S3Code::kInvalidRequest;
    case ErrorCode::kFileTooLarge:
      return S3Code::kEntityTooLarge;
    case ErrorCode::kNoSpace:
      return S3Code::kStorageFull;
    case ErrorCode::kQuotaExceeded:
      return S3Code::kQuotaExceeded;
    case ErrorCode::kConflict:
    case ErrorCode::kBusy:
    case ErrorCode::kTimedOut:
      return code == ErrorCode::kTimedOut ? S3Code::kServiceUnavailable : S3Code::kSlowDown;
    case ErrorCode::kUnsupported:
      return S3Code::kNotImplemented;
    case ErrorCode::kOutOfRange:
      return S3Code::kInvalidRange;
    case ErrorCode::kPreconditionFailed:
    case ErrorCode::kNotModified:
      return code == ErrorCode::kNotModified ? S3Code::kNotModified : S3Code::kPreconditionFailed;
    case ErrorCode::kNoSuchBucket:
    case ErrorCode::kNoSuchVolume:
      return S3Code::kNoSuchBucket;
    case ErrorCode::kBucketNotEmpty:
      return S3Code::kBucketNotEmpty;
    case ErrorCode::kBucketHasLinks:
      return S3Code::kInvalidBucketState;
    case ErrorCode::kBadDigest:
      return S3Code::kBadDigest;
    case ErrorCode::kNoSuchKey:
      return S3Code::kInvalidAccessKeyId;
    case ErrorCode::kNoSuchUpload:
    case ErrorCode::kInvalidPart:
    case ErrorCode::kInvalidPartOrder:
    case ErrorCode::kPartTooSmall:
      return CodeOfUpload(code);
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
    case ErrorCode::kPoisoned:
    case ErrorCode::kNoAttribute:
    case ErrorCode::kStale:
    case ErrorCode::kNewerFormat:
    case ErrorCode::kDeadlock:  // only the mount takes locks
    case ErrorCode::kTooManyLocks:
      return S3Code::kInternalError;
  }
  return S3Code::kInternalError;
}

Failure FromEngine(const Error& error, Subject subject) {
  Failure failure(CodeOf(error.code(), subject));
  failure.cause = error.ToString();
  // The engine's detail names the rule that a request broke; of our own troubles it stays in the
  // log.
  if (failure.status < 500 && !error.detail().empty() &&
      (error.code() == ErrorCode::kBadName || error.code() == ErrorCode::kInvalidArgument)) {
    failure.message.append(" (").append(error.detail()).append(")");
  }
  return failure;
}

Failure FromAuth(const AuthError& error) {
  const AuthFailureRow& row = RowOf(error.failure);
  Failure failure;
  failure.status = row.http_status;
  failure.code = row.code;
  failure.message = error.Message();
  failure.level = LevelOfStatus(row.http_status);
  if (!error.region.empty()) failure.details.emplace_back("Region", error.region);
  for (const auto& detail : error.details) failure.details.push_back(detail);
  if (!error.access_key.empty()) failure.details.emplace_back("AWSAccessKeyId", error.access_key);
  return failure;
}

Failure FromChunked(ChunkedFailure chunked) {
  const ChunkedFailureRow& row = RowOf(chunked);
  Failure failure;
  failure.status = row.http_status;
  failure.code = row.code;
  failure.message = row.message;
  return failure;
}

std::string_view ReasonPhrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 414:
      return "URI Too Long";
    case 416:
      return "Range Not Satisfiable";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

}  // namespace amphora::s3
