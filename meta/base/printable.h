// Text of strangers, such as names of files, on its way to the log or to a terminal: control
// characters, also those of U+0080 to U+009F, which terminals obey too, are shown as \xNN. So one
// line stays one line. Thread-safe: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace amphora {

void AppendPrintable(std::string& out, std::string_view text);
std::string Printable(std::string_view text);

}  // namespace amphora
