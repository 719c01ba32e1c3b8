#include "s3/forwarded.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "s3/host.h"

namespace amphora::s3 {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kMostHops = 64;  // of X-Forwarded-For that are looked at

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "1.2.3.4:80" -> "1.2.3.4", "[::1]:80" and "[::1]" -> "::1".
std::string_view WithoutPort(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    return end == std::string_view::npos ? std::string_view() : text.substr(1, end - 1);
  }
  return std::ranges::count(text, ':') == 1 ? text.substr(0, text.find(':')) : text;
}

std::optional<unsigned> ParsePrefix(std::string_view text, unsigned most) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size() || bits > most) return std::nullopt;
  return bits;
}

bool IsMapped(const IpBytes& address) {
  return std::equal(kMapped.begin(), kMapped.end(), address.begin());
}

// Of several proxies each adds its word at the right; ours is the last.
std::string_view LastWord(std::string_view list) {
  const std::size_t comma = list.rfind(',');
  return Trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
}

std::string ClientOf(std::string_view forwarded, const IpBytes& peer,
                     const TrustedProxies& trusted) {
  IpBytes client = peer;
  for (std::size_t hop = 0; hop < kMostHops && !forwarded.empty(); ++hop) {
    const std::size_t comma = forwarded.rfind(',');
    const auto address =
        ParseIp(comma == std::string_view::npos ? forwarded : forwarded.substr(comma + 1));
    if (!address) break;
    client = *address;
    if (!trusted.Contains(client) || comma == std::string_view::npos) break;
    forwarded = forwarded.substr(0, comma);
  }
  return ToText(client);
}

}  // namespace

std::optional<IpBytes> ParseIp(std::string_view text) {
  const std::string address(WithoutPort(Trim(text)));
  IpBytes bytes = {};
  if (address.find('\0') != std::string::npos) return std::nullopt;
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return bytes;
  std::copy(kMapped.begin(), kMapped.end(), bytes.begin());
  if (inet_pton(AF_INET, address.c_str(), bytes.data() + kMapped.size()) == 1) return bytes;
  return std::nullopt;
}

std::string ToText(const IpBytes& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (IsMapped(address)) {
    inet_ntop(AF_INET, address.data() + kMapped.size(), text, sizeof text);
  } else {
    inet_ntop(AF_INET6, address.data(), text, sizeof text);
  }
  return text;
}

std::optional<TrustedProxies> TrustedProxies::Parse(std::span<const std::string> networks,
                                                    std::size_t* wrong) {
  TrustedProxies trusted;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    *wrong = i;
    const std::string_view text = networks[i];
    const std::size_t slash = text.find('/');
    const auto address = ParseIp(text.substr(0, slash));
    if (!address) return std::nullopt;
    const unsigned width = IsMapped(*address) ? 32 : 128;
    std::optional<unsigned> bits = width;
    if (slash != std::string_view::npos) bits = ParsePrefix(text.substr(slash + 1), width);
    if (!bits) return std::nullopt;
    trusted.networks_.push_back({*address, *bits + (128 - width)});
  }
  return trusted;
}

bool TrustedProxies::Contains(const IpBytes& address) const {
  return std::ranges::any_of(networks_, [&](const Network& network) {
    const std::size_t whole = network.prefix_bits / 8;
    if (std::memcmp(network.bytes.data(), address.data(), whole) != 0) return false;
    const unsigned rest = network.prefix_bits % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return (network.bytes[whole] & mask) == (address[whole] & mask);
  });
}

Origin FindOrigin(const Request& request, const TrustedProxies& trusted) {
  Origin origin{std::string(request.peer()), request.encrypted() ? "https" : "http",
                std::string(request.Header("Host"))};
  const auto peer = ParseIp(request.peer());
  if (!peer) return origin;
  origin.client = ToText(*peer);
  if (!trusted.Contains(*peer)) return origin;
  origin.client = ClientOf(request.Header("X-Forwarded-For"), *peer, trusted);
  const std::string_view scheme = LastWord(request.Header("X-Forwarded-Proto"));
  if (scheme == "http" || scheme == "https") origin.scheme = scheme;
  const std::string_view host = LastWord(request.Header("X-Forwarded-Host"));
  if (IsHost(host)) origin.host = host;
  return origin;
}

}  // namespace amphora::s3
