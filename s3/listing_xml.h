// What every listing's answer has in common: names, percent-encoded where the client asked for it
// (S3: EncodingType=url), and common prefixes. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "s3/uri.h"
#include "s3/xml.h"

namespace amphora::s3 {

inline void AppendName(XmlWriter& xml, std::string_view element, std::string_view name,
                       bool encode) {
  if (encode) {
    xml.Element(element, UriEncode(name, Slash::kKeep));
  } else {
    xml.Element(element, name);
  }
}

inline void AppendCommonPrefixes(XmlWriter& xml, const std::vector<std::string>& prefixes,
                                 bool encode) {
  for (const std::string& prefix : prefixes) {
    xml.Open("CommonPrefixes");
    AppendName(xml, "Prefix", prefix, encode);
    xml.Close("CommonPrefixes");
  }
}

}  // namespace amphora::s3
