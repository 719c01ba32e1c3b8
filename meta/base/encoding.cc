#include "meta/base/encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace amphora {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kForeign = 0xff;

constexpr std::array<std::uint8_t, 256> Inverse(std::string_view digits) {
  std::array<std::uint8_t, 256> table;
  table.fill(kForeign);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    table[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr auto kFromBase64 = Inverse(kBase64Digits);

constexpr std::array<std::uint8_t, 256> InverseHex() {
  std::array<std::uint8_t, 256> table = Inverse(kHexDigits);
  for (char c = 'A'; c <= 'F'; ++c) table[static_cast<std::uint8_t>(c)] = c - 'A' + 10;
  return table;
}

constexpr auto kFromHex = InverseHex();

std::uint8_t ByteAt(std::string_view text, std::size_t index) {
  return static_cast<std::uint8_t>(text[index]);
}

}  // namespace

std::string ToHex(std::string_view bytes) {
  std::string text(bytes.size() * 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = kHexDigits[ByteAt(bytes, i) >> 4];
    text[2 * i + 1] = kHexDigits[ByteAt(bytes, i) & 15];
  }
  return text;
}

std::optional<std::string> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes(text.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint8_t high = kFromHex[ByteAt(text, 2 * i)];
    const std::uint8_t low = kFromHex[ByteAt(text, 2 * i + 1)];
    if (high == kForeign || low == kForeign) return std::nullopt;
    bytes[i] = static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string ToBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? ByteAt(bytes, i + k) : 0);
    for (std::size_t k = 0; k < 4; ++k) {
      text.push_back(k <= count ? kBase64Digits[group >> (18 - 6 * k) & 63] : '=');
    }
  }
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::size_t digits = text.size() - padding;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::uint8_t value = kFromBase64[ByteAt(text, i)];
    if (value == kForeign) return std::nullopt;
    pending = pending << 6 | value;
    pending_bits += 6;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    bytes.push_back(static_cast<char>(pending >> pending_bits & 0xff));
  }
  // What the padding cuts off must be zero, else two texts would stand for the same bytes.
  if ((pending & ((1u << pending_bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace amphora
