// Access control lists as setxattr(2) brings them. Promises: what is taken is written again as
// bytes that mean the same, its mode has nine bits, and the mode that chmod(2) sets is the one it
// shows.
#include <cstdint>
#include <string_view>

#include "fs/acl.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora;
  auto acl = fs::Acl::Parse({reinterpret_cast<const char*>(data), size});
  if (!acl.ok()) return 0;
  const std::string bytes = acl->Encode();
  FUZZ_REQUIRE(bytes.size() == size);
  const auto again = fs::Acl::Parse(bytes);
  FUZZ_REQUIRE(again.ok() && again->entries() == acl->entries());
  const std::uint32_t mode = acl->mode();
  FUZZ_REQUIRE(mode <= 0777);
  acl->Restrict(0750);
  FUZZ_REQUIRE(acl->mode() == (mode & 0750));
  acl->SetMode(0641);
  FUZZ_REQUIRE(acl->mode() == 0641);
  return 0;
}
