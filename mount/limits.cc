#include "mount/limits.h"

#include <sys/sysinfo.h>

#include <algorithm>

namespace amphora::mount {
namespace {

constexpr unsigned kLargestWrite = 1 << 20;  // 256 pages: the kernel's default limit
constexpr unsigned kSmallestWrite = 128 << 10;
constexpr unsigned kLargestDepth = 8;
constexpr unsigned kSmallestDepth = 4;
constexpr unsigned kRingBudget = 256u << 20;  // bytes of ring buffers a mount

unsigned Cpus() { return static_cast<unsigned>(std::max(1, get_nprocs_conf())); }

}  // namespace

unsigned UringDepth() {
  return std::clamp(kRingBudget / kLargestWrite / Cpus(), kSmallestDepth, kLargestDepth);
}

unsigned MaxWriteBytes(bool io_uring) {
  if (!io_uring) return kLargestWrite;
  const unsigned share = kRingBudget / Cpus() / UringDepth();
  return std::clamp(share / 4096 * 4096, kSmallestWrite, kLargestWrite);
}

unsigned ClassicThreads(unsigned asked) {
  constexpr unsigned kMost = 256;
  return asked == 0 ? std::clamp(2 * Cpus(), 8u, 64u) : std::min(asked, kMost);
}

}  // namespace amphora::mount
