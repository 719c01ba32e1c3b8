// Reading XML bodies with pugixml, safely: it knows no entities of a document's own, and what a
// schema does not know is refused by the operations. Thread-safe: values.
#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

namespace amphora::s3 {

// Parses `document`, whose root must be called `root`. Keeps text that is nothing but blanks.
bool ParseXml(pugi::xml_document& xml, const std::string& document, std::string_view root);

// All text of an element, also where comments or CDATA sections split it; nothing when it has
// elements inside.
std::optional<std::string> TextOf(const pugi::xml_node& node);

}  // namespace amphora::s3
