// The pause of Transact between two attempts: random, so that two transactions that conflicted once
// do not meet again in step. Thread-safe: the generator is the thread's own.

#include "meta/run.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>

namespace amphora::meta {

void PauseBeforeRetry(int attempt) {
  constexpr std::int64_t kFirstMicroseconds = 20;
  constexpr std::int64_t kMostMicroseconds = 20'000;
  if (attempt <= 1) {
    std::this_thread::yield();
    return;
  }
  // Doubles each time: 20 us, 40 us, … 20 ms from the 12th on.
  const int doublings = std::min(attempt - 2, 20);
  const std::int64_t ceiling = std::min(kFirstMicroseconds << doublings, kMostMicroseconds);
  thread_local std::minstd_rand generator(std::random_device{}());
  std::uniform_int_distribution<std::int64_t> pick(0, ceiling);
  std::this_thread::sleep_for(std::chrono::microseconds(pick(generator)));
}

}  // namespace amphora::meta
