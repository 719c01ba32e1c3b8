#include "s3/browser/html.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace amphora::s3 {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void AppendEscaped(std::string& out, char c) {
  switch (c) {
    case '&':
      out.append("&amp;");
      break;
    case '<':
      out.append("&lt;");
      break;
    case '>':
      out.append("&gt;");
      break;
    case '"':
      out.append("&quot;");
      break;
    case '\'':
      out.append("&#39;");
      break;
    default:
      out.push_back(c);
  }
}

// The first character of `text` and how many bytes it takes; 0 bytes: no UTF-8 (RFC 3629).
struct Character {
  std::uint32_t point = 0;
  std::size_t bytes = 0;
};

Character FirstOf(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  std::uint32_t point = lead & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    point = point << 6 | (byte(i) & 0x3fu);
  }
  const std::uint32_t least = bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : 0x80;
  if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return {};
  return {point, bytes};
}

// Marks, embeddings, overrides and isolates of the bidirectional algorithm, and what has no width.
bool TurnsOrHides(std::uint32_t point) {
  return (point >= 0x200b && point <= 0x200f) || (point >= 0x202a && point <= 0x202e) ||
         (point >= 0x2060 && point <= 0x2069) || point == 0x61c || point == 0xfeff ||
         point == 0x2028 || point == 0x2029;
}

bool IsControl(std::uint32_t point) { return point < 0x20 || (point >= 0x7f && point <= 0x9f); }

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) AppendEscaped(out, c);
  return out;
}

std::string ShowName(std::string_view name) {
  std::string out;
  out.reserve(name.size() + 16);
  while (!name.empty()) {
    const Character first = FirstOf(name);
    if (first.bytes == 0) {
      out.append(kReplacement);
      name.remove_prefix(1);
      continue;
    }
    if (first.point == '\n') {
      out.append("\\n");
    } else if (first.point == '\t') {
      out.append("\\t");
    } else if (IsControl(first.point) || TurnsOrHides(first.point)) {
      char text[16];
      std::snprintf(text, sizeof text, "\\u{%x}", first.point);
      out.append(text);
    } else if (first.bytes == 1) {
      AppendEscaped(out, name.front());
    } else {
      out.append(name.substr(0, first.bytes));
    }
    name.remove_prefix(first.bytes);
  }
  return out;
}

std::string ShowSize(std::uint64_t bytes) {
  static constexpr std::array<const char*, 7> kUnits = {"B",   "KiB", "MiB", "GiB",
                                                        "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 1,023.96 of a unit would be shown as 1024.0 of it.
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string ShowNumber(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string ShowTime(Time time) {
  const timespec value = time.ToTimespec();
  std::tm parts{};
  gmtime_r(&value.tv_sec, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

}  // namespace amphora::s3
