// The document of DeleteObjects. Promises: what is taken is 1 to 1,000 keys, none of them empty;
// what is refused says why.
#include <cstdint>
#include <string>

#include "s3/delete_document.h"
#include "s3/limits.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora;
  const std::string document(reinterpret_cast<const char*>(data), size);
  const auto request = s3::ReadDeleteDocument(document);
  if (!request) {
    FUZZ_REQUIRE(request.error().status >= 400 && !request.error().code.empty());
    return 0;
  }
  FUZZ_REQUIRE(!request->items.empty() && request->items.size() <= s3::kMaxDeleteKeys);
  for (const fs::DeleteManyItem& item : request->items) {
    FUZZ_REQUIRE(!item.key.empty() && !item.error);
    FUZZ_REQUIRE(item.key.size() <= document.size());
  }
  return 0;
}
