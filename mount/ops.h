// The callbacks that libfuse calls. Each translates, calls the engine once and replies; what may
// wait goes to the reply pool. They run on any FUSE thread, many at once, and share nothing but the
// Context.
#pragma once

#include "meta/base/failpoint.h"
#include "meta/base/metrics.h"
#include "mount/context.h"
#include "mount/fuse.h"
#include "mount/subject.h"

namespace amphora::mount {

// All of them, INIT included.
fuse_lowlevel_ops Operations(const MountOptions& options);

void AddNameOperations(fuse_lowlevel_ops& operations);       // ops_names.cc
void AddFileOperations(fuse_lowlevel_ops& operations);       // ops_files.cc
void AddOpenOperations(fuse_lowlevel_ops& operations);       // ops_open.cc
void AddDirectoryOperations(fuse_lowlevel_ops& operations);  // ops_dirs.cc
void AddAttributeOperations(fuse_lowlevel_ops& operations);  // ops_attrs.cc
void AddLockOperations(fuse_lowlevel_ops& operations);       // ops_locks.cc

// Counts a request, and notes which way it came.
void NoteRequest(fuse_req_t request, MountOperation operation);

// A seam where tests hold a reply back across a change.
void PauseBeforeReply(FailpointName failpoint);

// Counted<Lookup, MountOperation::kLookup>::Call is Lookup with its requests counted, and what they
// are about known to the replies.
template <auto kCallback, MountOperation kOperation>
struct Counted;
template <typename... Args, void (*kCallback)(fuse_req_t, Args...), MountOperation kOperation>
struct Counted<kCallback, kOperation> {
  static void Call(fuse_req_t request, Args... args) {
    NoteRequest(request, kOperation);
    const SubjectScope subject(SubjectOf<kOperation>(args...));
    kCallback(request, args...);
  }
};

}  // namespace amphora::mount
