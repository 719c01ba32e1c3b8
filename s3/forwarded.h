// Behind a proxy: who really asked, and under which address. X-Forwarded-For, -Proto and -Host are
// believed only when they come from an address of `trusted_proxies`, and serve for logs and links
// alone; a signature holds over the Host as sent. Thread-safe: values and pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "s3/request.h"

namespace amphora::s3 {

// An IP address, IPv4 as ::ffff:a.b.c.d. Nothing when `text` is none. A port after it
// ("1.2.3.4:80", "[::1]:80") is read over.
using IpBytes = std::array<std::uint8_t, 16>;
std::optional<IpBytes> ParseIp(std::string_view text);
std::string ToText(const IpBytes& address);

class TrustedProxies {
 public:
  TrustedProxies() = default;
  // "10.0.0.0/8", "::1", "fd00::/8". Nothing when one can't be read: its index is in `*wrong`.
  static std::optional<TrustedProxies> Parse(std::span<const std::string> networks,
                                             std::size_t* wrong);
  bool Contains(const IpBytes& address) const;

 private:
  struct Network {
    IpBytes bytes = {};
    unsigned prefix_bits = 0;  // 0 to 128
  };
  std::vector<Network> networks_;
};

struct Origin {
  std::string client;  // an IP address as text
  std::string scheme;  // "http" or "https"
  std::string host;    // with its port, as the client knows us; may be empty
  std::string url() const { return scheme + "://" + host; }
};

// From the right of X-Forwarded-For, the first address that is no trusted proxy is the client's;
// what stands left of it anybody may have written.
Origin FindOrigin(const Request& request, const TrustedProxies& trusted);

}  // namespace amphora::s3
