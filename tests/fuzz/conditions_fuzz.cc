// Conditional headers, byte ranges and dates. The input: eight bytes of an object's size, then the
// text that stands in each of the headers. Promises: a header that is there never leaves a write
// or a DELETE unconditional, a range lies within the object, a date that was read is read again
// from its own text.
#include <cstdint>
#include <string>
#include <string_view>

#include "s3/conditions.h"
#include "s3/http_date.h"
#include "tests/fuzz/require.h"

namespace {

using namespace amphora;
using namespace amphora::s3;

void CheckTags(std::string_view text) {
  const auto tags = ParseETags(text);
  FUZZ_REQUIRE(tags.size() <= 100);
  std::size_t bytes = 0;
  for (const std::string& tag : tags) bytes += tag.size();
  FUZZ_REQUIRE(bytes <= text.size());
}

void CheckDate(std::string_view text) {
  const auto time = ParseHttpDate(text);
  if (!time) return;
  const std::string written = ToHttpDate(*time);
  FUZZ_REQUIRE(written.size() == 29);
  const auto again = ParseHttpDate(written);
  FUZZ_REQUIRE(again && ToHttpDate(*again) == written);
  FUZZ_REQUIRE(ToIsoDate(*time).size() == 24);
}

void CheckSpan(const ByteRange& range, std::uint64_t size) {
  FUZZ_REQUIRE(range.length > 0 && range.offset < size && range.length <= size - range.offset);
}

void CheckOneHeader(std::string_view name, std::string_view text) {
  const auto request = Request::Parse(
      {.method = "PUT", .target = "/bucket/key", .headers = {{"Host", "localhost"}, {name, text}}},
      {});
  FUZZ_REQUIRE(request);
  const fs::Conditions reading = ReadConditions(*request);
  const auto writing = WriteConditions(*request);
  const auto deleting = DeleteCondition(*request);
  if (name == "If-Match") {
    FUZZ_REQUIRE(!writing || !writing->if_match.empty());
    FUZZ_REQUIRE(!deleting || deleting->has_value());
  } else if (name == "If-None-Match") {
    FUZZ_REQUIRE(!writing || writing->if_none_match == std::vector<std::string>{"*"});
  } else {
    FUZZ_REQUIRE(writing && writing->empty());
  }
  fs::ObjectInfo info;
  info.etag = "etag";
  info.size = text.size();
  info.last_modified = Time(1'700'000'000'000'000'000);
  (void)fs::CheckReadConditions(reading, info);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  std::uint64_t object = 0;
  for (int i = 0; i < 8; ++i) object = object << 8 | data[i];
  const std::string_view text(reinterpret_cast<const char*>(data) + 8, size - 8);
  CheckTags(text);
  CheckDate(text);
  if (const auto range = ParseRange(text, object); range && *range) CheckSpan(**range, object);
  for (const char* name :
       {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"}) {
    CheckOneHeader(name, text);
  }
  const auto ranged = Request::Parse(
      {.method = "GET",
       .target = "/bucket/key",
       .headers = {{"Host", "localhost"}, {"Range", "bytes=1-"}, {"If-Range", text}}},
      {});
  fs::ObjectInfo info;
  info.size = object;
  info.etag = "etag";
  if (const auto range = ReadRange(*ranged, info); range && *range) CheckSpan(**range, object);
  return 0;
}
