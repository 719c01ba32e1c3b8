// Mode, owner and mtime as S3 clients write them into user metadata, both ways. Pure functions;
// thread-safe.
//
//   names                                              whose
//   mode uid gid mtime                                 s3fs (mode decimal, mtime in seconds),
//   geesefs
//                                                      (the same), rclone (mtime in seconds with a
//                                                      fraction; with --metadata mode octal, times
//                                                      as RFC 3339)
//   file-permissions file-owner file-group file-mtime  AWS: FSx for Lustre, DataSync, Storage
//   Gateway
//                                                      (octal; "…ns", or milliseconds)
//
// (s3fs: src/metaheader.cpp; geesefs: --mode-attr and its like; rclone: backend/s3, backend/local;
// FSx for Lustre user guide: POSIX metadata support for data repositories.)
#pragma once

#include <cstdint>
#include <optional>

#include "fs/bucket_settings.h"
#include "fs/objects.h"

namespace amphora::fs {

struct GivenPosix {
  std::optional<std::uint32_t> permissions;  // without setuid and setgid: S3 gives no power
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::optional<Time> modified;
};
// What can't be read is left out. A name of s3fs comes before one of AWS.
GivenPosix ReadPosixMetadata(const ObjectMetadata& metadata);

// The same names with what holds now, in place of what the PUT said.
void AddPosixMetadata(PosixMetadata which, ObjectInfo& info);

}  // namespace amphora::fs
