// Runs a piece of a test in a child process that may be cut off at any point, as kill -9 would. The
// parent must not have opened an engine: a store's threads don't survive fork.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>

namespace amphora::test {

inline constexpr int kCutOff = 137;  // the status of failpoint action "exit"

// The child's exit status: 0 when `body` returned without a test failure, 1 with one, kCutOff when
// a failpoint or CutOff() ended it. No destructor of the parent's runs in the child.
inline int InChild(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// As if killed here and now; a test failure up to here still counts.
[[noreturn]] inline void CutOff() {
  std::fflush(nullptr);
  ::_exit(::testing::Test::HasFailure() ? 1 : kCutOff);
}

}  // namespace amphora::test
