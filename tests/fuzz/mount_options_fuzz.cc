// The words of mount(8)'s -o. Promises: a refusal names the word and changes nothing; what is taken
// is within its limits and taken again.
#include <cstdint>
#include <string>

#include "mount/session.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora;
  const std::string text(reinterpret_cast<const char*>(data), size);
  mount::MountOptions options;
  options.threads = 77;
  std::string culprit;
  if (!mount::ParseMountOptions(text, options, culprit).ok()) {
    FUZZ_REQUIRE(!culprit.empty() && text.find(culprit) != std::string::npos);
    FUZZ_REQUIRE(options.threads == 77 && !options.read_only);
    return 0;
  }
  FUZZ_REQUIRE(options.threads <= 256);
  mount::MountOptions again = options;
  FUZZ_REQUIRE(mount::ParseMountOptions(text, again, culprit).ok());
  FUZZ_REQUIRE(again.threads == options.threads && again.read_only == options.read_only);
  return 0;
}
