// Counts every operator new of the process (of the libraries that it links too) in
// Counter::kAllocations, for bench/guard. Linked into the daemon only when
// AMPHORA_COUNT_ALLOCATIONS is on: never in what users run, never beside a sanitizer, which brings
// an operator new of its own. Thread-safe; works before main, the counters need no construction.
#include <cstdlib>
#include <new>

#include "meta/base/metrics.h"

namespace {

void* Allocate(std::size_t size) noexcept {
  amphora::Count(amphora::Counter::kAllocations);
  return std::malloc(size == 0 ? 1 : size);
}

void* AllocateAligned(std::size_t size, std::align_val_t alignment) noexcept {
  amphora::Count(amphora::Counter::kAllocations);
  const auto boundary = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary);
}

void* OrThrow(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The array and nothrow forms of the standard library call these (or are below).
void* operator new(std::size_t size) { return OrThrow(Allocate(size)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return OrThrow(AllocateAligned(size, alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return AllocateAligned(size, alignment);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(memory);
}
