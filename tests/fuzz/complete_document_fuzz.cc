// The document of CompleteMultipartUpload. Promises: what is taken is 1 to 10,000 parts, each with
// a number that can be, an ETag, and checksums of their kinds' lengths.
#include <cstdint>
#include <string>

#include "fs/data/digests.h"
#include "fs/uploads.h"
#include "s3/complete_document.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora;
  const std::string document(reinterpret_cast<const char*>(data), size);
  const auto parts = s3::ReadCompleteDocument(document);
  if (!parts) {
    FUZZ_REQUIRE(parts.error().status >= 400 && !parts.error().code.empty());
    return 0;
  }
  FUZZ_REQUIRE(!parts->empty() && parts->size() <= fs::kMaxParts);
  for (const s3::ListedPart& part : *parts) {
    FUZZ_REQUIRE(part.number >= 1 && part.number <= fs::kMaxParts);
    FUZZ_REQUIRE(!part.etag.empty());
    for (const auto& [kind, raw] : part.checksums) {
      FUZZ_REQUIRE(raw.size() == fs::DigestBytes(kind));
    }
  }
  return 0;
}
