// How much a test that counts or loads does: AMPHORA_TEST_SCALE times its full number (0.001 to
// 100; 1 when it is not set). scripts/nightly sets it for builds with a sanitizer, which are many
// times slower. Only numbers of rounds, keys and bytes may depend on it, never what a round checks.
// scale.py is its twin.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace amphora::test {

// The factor; ends the program when the variable holds anything else than a number in its range.
inline double TestScale() {
  const char* text = std::getenv("AMPHORA_TEST_SCALE");
  if (text == nullptr || *text == '\0') return 1;
  char* end = nullptr;
  const double scale = std::strtod(text, &end);
  if (*end == '\0' && scale >= 0.001 && scale <= 100) return scale;
  std::fprintf(stderr, "AMPHORA_TEST_SCALE is '%s': a number from 0.001 to 100 is wanted\n", text);
  std::exit(2);
}

// `full` of something, scaled, but at least `least`: with fewer the test would prove nothing.
template <typename Count>
Count Scaled(Count full, Count least) {
  const auto scaled = static_cast<Count>(std::llround(static_cast<double>(full) * TestScale()));
  return std::max(scaled, std::min(full, least));
}

}  // namespace amphora::test
