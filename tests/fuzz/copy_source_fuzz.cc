// x-amz-copy-source and its range. Promises: what is taken names a legal bucket and a key of at
// least one byte, writing it encoded and reading it again gives the same, and a range is not empty
// and does not wrap around.
#include <cstdint>
#include <string_view>

#include "s3/copy_source.h"
#include "s3/uri.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto source = s3::ParseCopySource(text)) {
    FUZZ_REQUIRE(fs::CheckBucketName(source->bucket).ok());
    FUZZ_REQUIRE(!source->key.empty() && source->key.size() < text.size());
    const std::string encoded = source->bucket + "/" + s3::UriEncode(source->key, s3::Slash::kKeep);
    const auto again = s3::ParseCopySource(encoded);
    FUZZ_REQUIRE(again && *again == *source);
  }
  if (const auto range = s3::ParseCopyRange(text)) {
    FUZZ_REQUIRE(range->length > 0);
    FUZZ_REQUIRE(range->offset + (range->length - 1) >= range->offset);
  }
  return 0;
}
