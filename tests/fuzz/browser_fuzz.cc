// Keys as the bucket browser shows and addresses them. Promises: no key becomes markup, none leaves
// the page's own host, and a download's address means the key.
#include <cstdint>
#include <string>
#include <string_view>

#include "s3/browser/html.h"
#include "s3/browser/links.h"
#include "tests/fuzz/require.h"

namespace {

using namespace amphora::s3;  // NOLINT(google-build-using-namespace): one target

void CheckDownload(std::string_view host, std::string_view target, std::string_view key) {
  const std::string domains[] = {"localhost"};
  const auto page =
      Request::Parse({.method = "GET", .target = target, .headers = {{"Host", host}}}, domains);
  FUZZ_REQUIRE(page);
  const std::string address = BrowserLinks(*page, {}).Download(key);
  FUZZ_REQUIRE(!address.starts_with("//"));
  FUZZ_REQUIRE(address.find_first_of("<>\"'\\ \r\n") == std::string::npos);
  const std::string whole = address.starts_with('?')
                                ? std::string(target.substr(0, target.find('?'))) + address
                                : address;
  const auto asked =
      Request::Parse({.method = "GET", .target = whole, .headers = {{"Host", host}}}, domains);
  FUZZ_REQUIRE(asked);
  FUZZ_REQUIRE(asked->bucket() == "bucket");
  const bool by_query = address.starts_with('?');
  FUZZ_REQUIRE((by_query ? asked->QueryValue("download") : std::string_view(asked->key())) == key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view key(reinterpret_cast<const char*>(data), size);
  if (key.empty() || key.size() > 1024) return 0;
  const std::string shown = ShowName(key);
  FUZZ_REQUIRE(shown.find_first_of("<>\"'") == std::string::npos);
  for (const char c : shown) FUZZ_REQUIRE(static_cast<unsigned char>(c) >= 0x20);
  const std::string disposition = AttachmentOf(key);
  for (const char c : disposition) {
    FUZZ_REQUIRE(static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f);
  }
  CheckDownload("localhost", "/bucket?browser=true", key);
  CheckDownload("bucket.localhost", "/?browser=true", key);
  return 0;
}
