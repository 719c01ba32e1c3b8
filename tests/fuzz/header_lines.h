// A fuzz target's input as header lines: "name: value" up to the first empty line.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "s3/auth/payload.h"

namespace amphora::test {

// At most 64 of them; `text` becomes what follows.
inline std::vector<s3::HeaderField> TakeHeaderLines(std::string_view& text) {
  std::vector<s3::HeaderField> fields;
  while (!text.empty() && fields.size() < 64) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) continue;
    fields.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  return fields;
}

}  // namespace amphora::test
