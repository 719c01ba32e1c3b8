#include "s3/xml.h"

namespace amphora::s3 {
namespace {

// The length of the legal XML character at the front of `text`, or 0. (XML 1.0, section 2.2)
std::size_t CharacterLength(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) {
    return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  }
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  std::uint32_t code = first & (0xff >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (at(i) & 0x3f);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  const bool non_character = code == 0xfffe || code == 0xffff;
  return code < kSmallest[length] || code > 0x10ffff || surrogate || non_character ? 0 : length;
}

}  // namespace

bool IsXmlText(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

XmlWriter::XmlWriter() : text_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}

void XmlWriter::Open(std::string_view name) { text_.append("<").append(name).append(">"); }

void XmlWriter::OpenRoot(std::string_view name) {
  text_.append("<").append(name).append(" xmlns=\"").append(kS3Namespace).append("\">");
}

void XmlWriter::Close(std::string_view name) { text_.append("</").append(name).append(">"); }

void XmlWriter::Element(std::string_view name, std::string_view text) {
  if (text.empty()) {
    text_.append("<").append(name).append("/>");
    return;
  }
  Open(name);
  AppendEscaped(text);
  Close(name);
}

void XmlWriter::Element(std::string_view name, std::uint64_t number) {
  Open(name);
  text_.append(std::to_string(number));
  Close(name);
}

void XmlWriter::Element(std::string_view name, bool value) {
  Open(name);
  text_.append(value ? "true" : "false");
  Close(name);
}

void XmlWriter::AppendEscaped(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    if (length == 0) {
      text_.append("\xef\xbf\xbd");
      text.remove_prefix(1);
      continue;
    }
    switch (text[0]) {
      case '&':
        text_.append("&amp;");
        break;
      case '<':
        text_.append("&lt;");
        break;
      case '>':
        text_.append("&gt;");
        break;
      case '"':
        text_.append("&quot;");
        break;
      case '\r':  // a bare one would be read as a line feed (XML 1.0, section 2.11)
        text_.append("&#13;");
        break;
      case '\n':
        text_.append("&#10;");
        break;
      default:
        text_.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
}

}  // namespace amphora::s3
