// The reversible escape of fs/escape.h.
#include "fs/escape.h"

namespace amphora::fs {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool MustEncode(char c) { return c == '%' || c == '\0'; }

}  // namespace

bool IsPlainName(std::string_view raw) {
  return !raw.empty() && raw != "." && raw != ".." && !raw.starts_with(kEscapePrefix) &&
         raw.find('\0') == std::string_view::npos;
}

std::string EscapedName(std::string_view raw, bool directory) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string name(kEscapePrefix);
  name.append(directory ? "d:" : "f:");
  for (const char c : raw) {
    if (!MustEncode(c)) {
      name.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    name.push_back('%');
    name.push_back(kHex[byte >> 4]);
    name.push_back(kHex[byte & 15]);
  }
  return name;
}

std::string ToVisibleName(std::string_view raw, bool directory, bool shadowed) {
  if (!shadowed && IsPlainName(raw)) return std::string(raw);
  return EscapedName(raw, directory);
}

Result<VisibleName> DecodeVisibleName(std::string_view visible) {
  if (!visible.starts_with(kEscapePrefix)) return VisibleName{std::string(visible), std::nullopt};
  const Error invalid(ErrorCode::kInvalidArgument, "begins like an escaped name but is none");
  std::string_view rest = visible.substr(kEscapePrefix.size());
  if (rest.size() < 2 || rest[1] != ':' || (rest[0] != 'f' && rest[0] != 'd')) return invalid;
  VisibleName name;
  name.directory = rest[0] == 'd';
  rest.remove_prefix(2);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '\0') return invalid;  // its escape is %00 alone
    if (rest[i] != '%') {
      name.raw.push_back(rest[i]);
      continue;
    }
    if (i + 2 >= rest.size()) return invalid;
    const int high = HexValue(rest[i + 1]);
    const int low = HexValue(rest[i + 2]);
    if (high < 0 || low < 0) return invalid;
    const char decoded = static_cast<char>(high << 4 | low);
    // Only what must be encoded may be, so that each name has one escape.
    if (!MustEncode(decoded)) return invalid;
    name.raw.push_back(decoded);
    i += 2;
  }
  return name;
}

}  // namespace amphora::fs
