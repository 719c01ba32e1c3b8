// Visible names, keys and names of buckets. Promises: each name has one escape, which means it and
// nothing else; what is shown can be a name in a directory; a legal key or bucket is within S3's
// limits.
#include <cstdint>
#include <string>
#include <string_view>

#include "fs/escape.h"
#include "tests/fuzz/require.h"

namespace {

using namespace amphora::fs;

void CheckShown(std::string_view raw, bool directory, bool shadowed) {
  const std::string shown = ToVisibleName(raw, directory, shadowed);
  FUZZ_REQUIRE(!shown.empty() && shown != "." && shown != "..");
  FUZZ_REQUIRE(shown.find('\0') == std::string::npos);
  const auto decoded = DecodeVisibleName(shown);
  FUZZ_REQUIRE(decoded.ok() && decoded->raw == raw);
  FUZZ_REQUIRE(decoded->directory.has_value() == (shadowed || !IsPlainName(raw)));
  FUZZ_REQUIRE(!decoded->directory || *decoded->directory == directory);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto name = DecodeVisibleName(text); name.ok()) {
    FUZZ_REQUIRE(name->directory ? EscapedName(name->raw, *name->directory) == text
                                 : name->raw == text);
  }
  if (text.find('/') == std::string_view::npos) {
    for (const bool directory : {false, true}) {
      for (const bool shadowed : {false, true}) CheckShown(text, directory, shadowed);
    }
  }
  if (CheckObjectKey(text).ok()) FUZZ_REQUIRE(!text.empty() && text.size() <= kMaxKeyBytes);
  if (CheckBucketName(text).ok()) {
    FUZZ_REQUIRE(text.size() >= 3 && text.size() <= 63);
    FUZZ_REQUIRE(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") ==
                 std::string_view::npos);
  }
  return 0;
}
