#include "s3/auth/headers.h"

#include <algorithm>

namespace amphora::s3::auth {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string ToLower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), Lower);
  return lower;
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

std::optional<std::string> FindHeader(std::span<const HeaderField> headers, std::string_view name) {
  std::optional<std::string> joined;
  for (const HeaderField& header : headers) {
    if (!EqualIgnoringCase(header.name, name)) continue;
    if (joined) {
      joined->append(",").append(Trim(header.value));
    } else {
      joined.emplace(Trim(header.value));
    }
  }
  return joined;
}

std::vector<std::string_view> Split(std::string_view list, char separator) {
  std::vector<std::string_view> parts;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(separator), list.size());
    if (const auto part = Trim(list.substr(0, end)); !part.empty()) parts.push_back(part);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return parts;
}

}  // namespace amphora::s3::auth
