// How much memory and how many bytes a request a mount takes. Pure functions; thread-safe.
#pragma once

namespace amphora::mount {

// Bytes of the largest write request. io_uring keeps a buffer of this size for each request that a
// CPU's queue can hold, so it shrinks as CPUs grow (hazards 2.1).
unsigned MaxWriteBytes(bool io_uring);
// Requests that one CPU's io_uring queue holds.
unsigned UringDepth();
// Threads of the classic queue; 0 asks for the default.
unsigned ClassicThreads(unsigned asked);

}  // namespace amphora::mount
