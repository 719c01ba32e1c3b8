#include "meta/base/printable.h"

namespace amphora {
namespace {

void AppendHex(std::string& out, unsigned char byte) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.append("\\x").push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 15]);
}

}  // namespace

void AppendPrintable(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const unsigned char next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte < 0x20 || byte == 0x7f) {
      AppendHex(out, byte);
    } else if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
      // U+0080 to U+009F in UTF-8: controls too, terminals take U+009B for ESC [.
      AppendHex(out, byte);
      AppendHex(out, next);
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  AppendPrintable(out, text);
  return out;
}

}  // namespace amphora
