#include "s3/xml_reader.h"

namespace amphora::s3 {

bool ParseXml(pugi::xml_document& xml, const std::string& document, std::string_view root) {
  const auto parsed = xml.load_buffer(document.data(), document.size(),
                                      pugi::parse_default | pugi::parse_ws_pcdata_single);
  return parsed && xml.document_element().name() == root;
}

std::optional<std::string> TextOf(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node child : node.children()) {
    if (child.type() == pugi::node_element) return std::nullopt;
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      text.append(child.value());
    }
  }
  return text;
}

}  // namespace amphora::s3
