// XML out and in. Writing appends to one string, element by element, so that a page of a listing is
// built once. Reading is pugixml's, which knows no entities of a document's own: nothing can
// expand. Thread-safe: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace amphora::s3 {

inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

// True when `text` is UTF-8 and every character may stand in an XML 1.0 document.
bool IsXmlText(std::string_view text);

class XmlWriter {
 public:
  XmlWriter();
  void Open(std::string_view name);
  void OpenRoot(std::string_view name);  // with S3's namespace
  void Close(std::string_view name);
  // `text` is escaped; characters that XML can't hold become U+FFFD.
  void Element(std::string_view name, std::string_view text);
  void Element(std::string_view name, std::uint64_t number);
  void Element(std::string_view name, bool value);
  void Text(std::string_view text) { AppendEscaped(text); }
  void Element(std::string_view name, const char* text) { Element(name, std::string_view(text)); }
  std::string Finish() && { return std::move(text_); }

 private:
  void AppendEscaped(std::string_view text);
  std::string text_;
};

}  // namespace amphora::s3
