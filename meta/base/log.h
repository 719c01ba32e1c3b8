// The log: one line per event, key=value, to stderr or a file. spdlog stays behind this header.
// Never log a secret, a signature or a presigned query. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "meta/base/error.h"

namespace amphora {

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  std::string file;  // empty: stderr
};

// Called by main; called again it reopens the file. Falls back to stderr when the file can't be opened.
void SetUpLog(const LogOptions& options);
bool LogEnabled(LogLevel level);
// Control characters in `line` are escaped, so that one event stays one line.
void Log(LogLevel level, std::string_view line);

// One "key=value" (or key="quoted value") appended to `line`.
void AppendField(std::string& line, std::string_view key, std::string_view value);
void AppendField(std::string& line, std::string_view key, std::uint64_t value);

}  // namespace amphora
