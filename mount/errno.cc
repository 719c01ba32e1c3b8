#include "mount/errno.h"

#include <cerrno>

namespace amphora::mount {

// No default: -Werror=switch makes this total, so that a new code can't be forgotten here.
int ToErrno(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kNoSuchBucket:
    case ErrorCode::kNoSuchVolume:
    case ErrorCode::kNoSuchKey:
      return ENOENT;
    case ErrorCode::kExists:
      return EEXIST;
    case ErrorCode::kNotDirectory:
      return ENOTDIR;
    case ErrorCode::kIsDirectory:
      return EISDIR;
    case ErrorCode::kNotEmpty:
    case ErrorCode::kBucketNotEmpty:
      return ENOTEMPTY;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kBadName:
      return EINVAL;
    case ErrorCode::kNameTooLong:
      return ENAMETOOLONG;
    case ErrorCode::kNotPermitted:
    case ErrorCode::kNotOwned:
      return EPERM;
    case ErrorCode::kAccessDenied:
      return EACCES;
    case ErrorCode::kCrossBucket:
      return EXDEV;
    case ErrorCode::kTooManyLinks:
      return EMLINK;
    case ErrorCode::kFileTooLarge:
      return EFBIG;
    case ErrorCode::kNoSpace:
      return ENOSPC;
    case ErrorCode::kQuotaExceeded:
      return EDQUOT;
    case ErrorCode::kConflict:
      return EAGAIN;
    case ErrorCode::kUnsupported:
    case ErrorCode::kNoAttribute:
      return code == ErrorCode::kUnsupported ? EOPNOTSUPP : ENODATA;
    case ErrorCode::kOutOfRange:
    case ErrorCode::kStale:
      return code == ErrorCode::kOutOfRange ? ENXIO : ESTALE;
    case ErrorCode::kBucketHasLinks:
    case ErrorCode::kBusy:
      return EBUSY;
    case ErrorCode::kDeadlock:
    case ErrorCode::kTooManyLocks:
      return code == ErrorCode::kDeadlock ? EDEADLK : ENOLCK;
    case ErrorCode::kTextBusy:
    case ErrorCode::kTimedOut:
      return code == ErrorCode::kTextBusy ? ETXTBSY : ETIMEDOUT;
    case ErrorCode::kRangeTooLarge:
      return E2BIG;
    case ErrorCode::kPoisoned:  // as fsync(2) reported it (hazards 5.10)
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
    case ErrorCode::kBadDigest:
    case ErrorCode::kNewerFormat:
    case ErrorCode::kPreconditionFailed:  // from here on: no call of this face gives them
    case ErrorCode::kNotModified:
    case ErrorCode::kNoSuchUpload:
    case ErrorCode::kInvalidPart:
    case ErrorCode::kInvalidPartOrder:
    case ErrorCode::kPartTooSmall:
      return EIO;
  }
  return EIO;
}

int ToErrno(const Error& error) {
  if (error.code() == ErrorCode::kIo && error.system_errno() == EROFS) return EROFS;
  return ToErrno(error.code());
}

}  // namespace amphora::mount
