// What a proxy, or somebody who says to be one, writes into a request's headers and what an
// operator writes into a list of networks. Promises: an address that was read is read again from
// its own text, a network holds its own address, and nothing of a header gets into an origin but
// addresses and hosts.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "s3/forwarded.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora::s3;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = ParseIp(text)) {
    FUZZ_REQUIRE(ParseIp(ToText(*address)) == address);
  }
  const std::vector<std::string> networks = {std::string(text)};
  std::size_t wrong = 0;
  if (const auto trusted = TrustedProxies::Parse(networks, &wrong)) {
    const auto own = ParseIp(text.substr(0, text.find('/')));
    FUZZ_REQUIRE(own && trusted->Contains(*own));
  }
  const std::vector<std::string> everybody = {"0.0.0.0/0", "::/0"};
  const auto trusted = TrustedProxies::Parse(everybody, &wrong);
  const RawRequest raw{.method = "GET",
                       .target = "/",
                       .headers = {{"Host", "localhost"},
                                   {"X-Forwarded-For", text},
                                   {"X-Forwarded-Proto", text},
                                   {"X-Forwarded-Host", text}},
                       .peer = "127.0.0.1"};
  const std::vector<std::string> domains = {"localhost", "example.org"};
  const auto request = Request::Parse(raw, domains);
  if (!request) return 0;
  const Origin origin = FindOrigin(*request, *trusted);
  FUZZ_REQUIRE(ParseIp(origin.client));
  FUZZ_REQUIRE(origin.scheme == "http" || origin.scheme == "https");
  FUZZ_REQUIRE(origin.host.find_first_of("<>\"' /\r\n") == std::string::npos);
  const std::string host = HostWithoutPort(text);
  const std::string_view bucket = BucketOfHost(host, domains);
  FUZZ_REQUIRE(bucket.empty() || (host.starts_with(bucket) && host.size() > bucket.size()));
  return 0;
}
