#include "mount/reply.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "meta/base/log.h"
#include "meta/base/log_limit.h"
#include "meta/base/trouble.h"
#include "mount/context.h"
#include "mount/convert.h"
#include "mount/errno.h"
#include "mount/subject.h"
#include "mount/uring_gate.h"

namespace amphora::mount {
namespace {

// What nobody but us can explain to the program that got it.
bool IsTrouble(int number) { return number == EIO || number == ENOSPC || number == EROFS; }

// The path of the request's file as its program sees it.
std::string PathOfSubject(Context& context) {
  const Subject& subject = SubjectOfThread();
  if (subject.node == 0) return context.options.directory;
  std::string path = context.engine.admin().PathOf(ToInode(context, subject.node));
  const std::string source = context.options.source.empty() ? "" : "/" + context.options.source;
  if (path.starts_with(source)) path = context.options.directory + path.substr(source.size());
  if (subject.name == nullptr) return path;
  return path + (path.ends_with('/') ? "" : "/") + subject.name;
}

}  // namespace

void ReplyErrno(fuse_req_t request, int error) {
  const GateHold hold;
  fuse_reply_err(request, error);
}

void ReplyStatus(fuse_req_t request, const Status& status) {
  if (status.ok()) {
    ReplyErrno(request, 0);
  } else {
    ReplyError(request, status.error());
  }
}

void ReplyError(fuse_req_t request, const Error& error) {
  const LogLevel level = LevelOf(error.code());
  const int number = ToErrno(error);
  if (IsTrouble(number)) {
    NoteTrouble(strerrorname_np(number), PathOfSubject(ContextOf(request)), error.ToString());
  }
  if (LogEnabled(level)) {
    std::string line = "mount request failed";
    AppendField(line, "mount", ContextOf(request).options.directory);
    if (IsTrouble(number)) AppendField(line, "path", PathOfSubject(ContextOf(request)));
    AppendField(line, "error", error.ToString());
    AppendField(line, "uid", fuse_req_ctx(request)->uid);
    AppendField(line, "pid", static_cast<std::uint64_t>(fuse_req_ctx(request)->pid));
    LogLimited(level, "mount request failed " + std::string(Name(error.code())), std::move(line));
  }
  ReplyErrno(request, number);
}

void ReplyNone(fuse_req_t request) {
  const GateHold hold;
  fuse_reply_none(request);
}

void ReplyEntry(fuse_req_t request, const fuse_entry_param& entry) {
  const GateHold hold;
  fuse_reply_entry(request, &entry);
}

bool ReplyCreated(fuse_req_t request, const fuse_entry_param& entry, const fuse_file_info& info) {
  const GateHold hold;
  return fuse_reply_create(request, &entry, &info) != -ENOENT;
}

bool ReplyOpened(fuse_req_t request, const fuse_file_info& info) {
  const GateHold hold;
  return fuse_reply_open(request, &info) != -ENOENT;
}

void ReplyAttributes(fuse_req_t request, const fs::Attributes& attributes) {
  const struct stat out = ToStat(Squashed(ContextOf(request).options, attributes));
  const GateHold hold;
  fuse_reply_attr(request, &out, AttributeTimeout(attributes));
}

void ReplyStatx(fuse_req_t request, struct statx& attributes, double timeout) {
  const GateHold hold;
  fuse_reply_statx(request, 0, &attributes, timeout);
}

void ReplyLink(fuse_req_t request, const char* target) {
  const GateHold hold;
  fuse_reply_readlink(request, target);
}

void ReplyBytes(fuse_req_t request, const char* bytes, std::size_t size) {
  const GateHold hold;
  fuse_reply_buf(request, bytes, size);
}

void ReplyWritten(fuse_req_t request, std::size_t size) {
  const GateHold hold;
  fuse_reply_write(request, size);
}

void ReplyLock(fuse_req_t request, const struct flock& lock) {
  const GateHold hold;
  fuse_reply_lock(request, &lock);
}

void ReplySeek(fuse_req_t request, off_t offset) {
  const GateHold hold;
  fuse_reply_lseek(request, offset);
}

void ReplyUsage(fuse_req_t request, const struct statvfs& usage) {
  const GateHold hold;
  fuse_reply_statfs(request, &usage);
}

void ReplySized(fuse_req_t request, std::string_view value, std::size_t room) {
  if (room != 0 && value.size() > room) {
    ReplyErrno(request, ERANGE);
    return;
  }
  const GateHold hold;
  if (room == 0) {
    fuse_reply_xattr(request, value.size());
  } else {
    fuse_reply_buf(request, value.data(), value.size());
  }
}

}  // namespace amphora::mount
