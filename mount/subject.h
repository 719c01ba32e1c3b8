// What the request that a thread works on is about, for the words of a failure: replies know their
// request only, and libfuse does not tell a request's inode. Set where a callback begins, and again
// on the pool's thread that goes on with it. Per thread.
#pragma once

#include <string>
#include <type_traits>

#include "meta/base/metrics.h"
#include "mount/fuse.h"

namespace amphora::mount {

struct Subject {
  fuse_ino_t node = 0;         // 0: not known
  const char* name = nullptr;  // an entry of `node`; null: `node` itself
};

const Subject& SubjectOfThread();

class SubjectScope {
 public:
  explicit SubjectScope(Subject subject);
  ~SubjectScope();
  SubjectScope(const SubjectScope&) = delete;
  SubjectScope& operator=(const SubjectScope&) = delete;

 private:
  const Subject before_;
};

// The callbacks whose argument after the inode is a name in it.
constexpr bool NamesAnEntry(MountOperation operation) {
  switch (operation) {
    case MountOperation::kLookup:
    case MountOperation::kMknod:
    case MountOperation::kMkdir:
    case MountOperation::kUnlink:
    case MountOperation::kRmdir:
    case MountOperation::kRename:
    case MountOperation::kCreate:
      return true;
    default:
      return false;
  }
}

// From a callback's arguments behind its request.
template <MountOperation kOperation, typename... Args>
Subject SubjectOf(Args... args) {
  Subject subject;
  const auto take = [&]<typename Arg>(Arg arg) {
    if constexpr (std::is_same_v<Arg, fuse_ino_t>) {
      if (subject.node == 0) subject.node = arg;
    } else if constexpr (std::is_same_v<Arg, const char*> && NamesAnEntry(kOperation)) {
      if (subject.name == nullptr) subject.name = arg;
    }
  };
  (take(args), ...);
  return subject;
}

}  // namespace amphora::mount
