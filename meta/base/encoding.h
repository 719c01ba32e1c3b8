// Bytes as text: hexadecimal and base64 (RFC 4648), strict in both directions of doubt: a decoder
// takes nothing but the canonical form. Thread-safe: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace amphora {

// Lower-case hexadecimal, two digits a byte.
std::string ToHex(std::string_view bytes);

// The bytes of an even number of hexadecimal digits of either case; nothing when `text` is anything
// else.
std::optional<std::string> FromHex(std::string_view text);

// Base64 with padding and without line breaks.
std::string ToBase64(std::string_view bytes);

// Nothing when `text` has a foreign character, wrong or missing padding, or bits set that no byte
// holds.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace amphora
