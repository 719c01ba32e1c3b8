// Answers to the kernel. Every reply of this folder goes through here: a reply from a thread of the
// reply pool must hold the io_uring gate of its request (uring_gate.h), one from a FUSE thread must
// not. Each function uses `request` up. Thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

#include "fs/types.h"
#include "meta/base/result.h"
#include "mount/fuse.h"

struct flock;
struct statx;

namespace amphora::mount {

void ReplyErrno(fuse_req_t request, int error);
// 0 for success, else the error's errno and one log line at the level of its code.
void ReplyStatus(fuse_req_t request, const Status& status);
void ReplyError(fuse_req_t request, const Error& error);
void ReplyNone(fuse_req_t request);
void ReplyEntry(fuse_req_t request, const fuse_entry_param& entry);
// False when the kernel did not take it, because the caller was interrupted: then no RELEASE
// follows.
bool ReplyCreated(fuse_req_t request, const fuse_entry_param& entry, const fuse_file_info& info);
bool ReplyOpened(fuse_req_t request, const fuse_file_info& info);
void ReplyAttributes(fuse_req_t request, const fs::Attributes& attributes);
void ReplyStatx(fuse_req_t request, struct statx& attributes, double timeout);
void ReplyLink(fuse_req_t request, const char* target);
void ReplyBytes(fuse_req_t request, const char* bytes, std::size_t size);
void ReplyWritten(fuse_req_t request, std::size_t size);
void ReplyLock(fuse_req_t request, const struct flock& lock);
void ReplySeek(fuse_req_t request, off_t offset);
void ReplyUsage(fuse_req_t request, const struct statvfs& usage);
// getxattr(2) and listxattr(2): the size alone when `room` is 0, ERANGE when `value` is larger.
void ReplySized(fuse_req_t request, std::string_view value, std::size_t room);

}  // namespace amphora::mount
