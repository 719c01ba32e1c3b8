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

// Called by main; called again it reopens the file, also while other threads log. Falls back to
// stderr when the file can't be opened. Before the first call, lines from kInfo up go to stderr.
void SetUpLog(const LogOptions& options);
bool LogEnabled(LogLevel level);
// Control characters in `line` are escaped (\x0a), so that one event stays one line and no terminal
// obeys what a client sent.
void Log(LogLevel level, std::string_view line);

// One "key=value" (or key="quoted value") appended to `line`.
void AppendField(std::string& line, std::string_view key, std::string_view value);
void AppendField(std::string& line, std::string_view key, std::uint64_t value);

}  // namespace amphora
