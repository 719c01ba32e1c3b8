// The configuration file. Promises: a file is taken or refused with one line that names it, and
// what is taken is within the limits that `amphora serve --help` tells.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "cli/config.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora::cli;
  static const int file = memfd_create("config", MFD_CLOEXEC);
  FUZZ_REQUIRE(ftruncate(file, 0) == 0);
  FUZZ_REQUIRE(pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const auto nothing = [](const char*) -> const char* { return nullptr; };
  const auto config = LoadConfig({.file = path, .flags = {}, .environment = nothing});
  if (!config) {
    FUZZ_REQUIRE(!config.error().text.empty());
    return 0;
  }
  FUZZ_REQUIRE(config->data_directory.starts_with('/') && config->data_directory.size() <= 4095);
  FUZZ_REQUIRE(config->socket.starts_with('/') && config->socket.size() <= 107);
  FUZZ_REQUIRE(config->s3.threads <= 256 && config->inline_limit <= 65536);
  FUZZ_REQUIRE(config->s3.domains.size() <= 64 && config->s3.trusted_proxies.size() <= 64);
  for (const auto& [key, origin] : config->origins) {
    FUZZ_REQUIRE(origin.starts_with(path + " line ") && origin.ends_with(": " + key));
  }
  (void)CheckConfig(*config);
  return 0;
}
