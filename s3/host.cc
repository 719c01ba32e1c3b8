#include "s3/host.h"

#include <algorithm>

namespace amphora::s3 {
namespace {

constexpr std::size_t kMaxHostBytes = 253 + 6;  // a name of the DNS, ":65535"

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._:[]").find(c) != std::string_view::npos;
}

}  // namespace

bool IsHost(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHostBytes &&
         std::ranges::all_of(host, IsHostCharacter);
}

}  // namespace amphora::s3
