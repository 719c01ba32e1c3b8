// How a fuzz target says that a promise is broken.
#pragma once

#include <cstdio>
#include <cstdlib>

// Ends the process with a line that names the promise.
#define FUZZ_REQUIRE(condition)                                                    \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(70);                                                               \
    }                                                                              \
  } while (false)
