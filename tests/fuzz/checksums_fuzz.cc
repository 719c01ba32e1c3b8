// What a request's headers promise about its body, and what they say of the object. The input:
// header lines, an empty line, then trailers in the same form. Promises: an expected digest has
// its kind's length, one checksum at most is kept, a trailer's value is there once it was taken,
// and metadata stays within its limit.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "fs/data/digests.h"
#include "s3/checksums.h"
#include "s3/limits.h"
#include "s3/object_headers.h"
#include "tests/fuzz/header_lines.h"
#include "tests/fuzz/require.h"

namespace {

using namespace amphora;
using namespace amphora::s3;

void CheckPromised(const Promise& promise) {
  for (std::size_t i = 0; i < fs::kDigestKinds; ++i) {
    const auto kind = static_cast<fs::DigestKind>(i);
    const std::string& expected = promise.expected[kind];
    FUZZ_REQUIRE(expected.empty() || expected.size() == fs::DigestBytes(kind));
    FUZZ_REQUIRE(expected.empty() || std::ranges::count(promise.kinds, kind) > 0);
  }
  FUZZ_REQUIRE(!promise.by_trailer || promise.checksum);
  FUZZ_REQUIRE(!promise.has_md5 || !promise.expected[fs::DigestKind::kMd5].empty());
}

void CheckMetadata(const Request& request) {
  const auto metadata = ReadMetadata(request);
  if (!metadata) return;
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata->user) {
    FUZZ_REQUIRE(!name.empty() && name == ToLower(name));
    bytes += name.size() + value.size();
  }
  FUZZ_REQUIRE(bytes <= kMaxUserMetadataBytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  RawRequest raw{.method = "PUT", .target = "/bucket/key", .headers = test::TakeHeaderLines(text)};
  const auto fields = raw.headers;
  const auto request = Request::Parse(std::move(raw), {});
  if (!request) return 0;
  CheckMetadata(*request);
  const auto payload = ReadPayload(fields);
  if (!payload) return 0;
  if (const auto promise = ReadBodyPromise(*request, *payload)) CheckPromised(*promise);
  auto promise = ReadPromise(*request, *payload);
  if (!promise) {
    FUZZ_REQUIRE(promise.error().status >= 400 && !promise.error().code.empty());
    return 0;
  }
  CheckPromised(*promise);
  std::vector<std::pair<std::string, std::string>> trailers;
  for (const HeaderField& field : test::TakeHeaderLines(text)) {
    trailers.emplace_back(ToLower(field.name), field.value);
  }
  if (!TakeTrailer(*promise, trailers)) return 0;
  CheckPromised(*promise);
  FUZZ_REQUIRE(!promise->checksum || !promise->expected[*promise->checksum].empty());
  (void)CheckPromise(*promise, text);
  return 0;
}
