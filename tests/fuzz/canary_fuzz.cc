// Breaks a promise on purpose: see CMakeLists.txt.
#include <cstdint>
#include <string_view>

#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FUZZ_REQUIRE(std::string_view(reinterpret_cast<const char*>(data), size) != "sing");
  return 0;
}
