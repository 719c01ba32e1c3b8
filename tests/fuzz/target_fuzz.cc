// Request targets as they come over the wire. Promises: decoding undoes encoding, what decodes is
// never longer than what came, and queries stay within their limit.
#include <cstdint>
#include <string_view>

#include "s3/uri.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora::s3;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  FUZZ_REQUIRE(PercentDecode(UriEncode(text, Slash::kEncode), Plus::kSpace) == text);
  FUZZ_REQUIRE(PercentDecode(UriEncode(text, Slash::kKeep), Plus::kLiteral) == text);
  if (const auto decoded = PercentDecode(text, Plus::kLiteral)) {
    FUZZ_REQUIRE(decoded->size() <= text.size());
    FUZZ_REQUIRE(PercentDecode(UriEncode(*decoded, Slash::kKeep), Plus::kLiteral) == decoded);
  }
  const auto query = ParseQuery(text);
  if (!query) return 0;
  FUZZ_REQUIRE(query->size() <= kMaxQueryParameters);
  std::string again;
  for (const QueryParameter& parameter : *query) {
    again += UriEncode(parameter.name, Slash::kEncode) + "=";
    again += UriEncode(parameter.value, Slash::kEncode) + "&";
    FUZZ_REQUIRE(parameter.has_value || parameter.value.empty());
  }
  const auto same = ParseQuery(again);
  FUZZ_REQUIRE(same && same->size() == query->size());
  for (std::size_t i = 0; i < query->size(); ++i) {
    FUZZ_REQUIRE((*same)[i].name == (*query)[i].name && (*same)[i].value == (*query)[i].value);
  }
  return 0;
}
