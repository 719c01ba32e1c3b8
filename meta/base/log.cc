#include "meta/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <memory>

namespace amphora {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

void AppendEscaped(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out.append("\\x").push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace

void SetUpLog(const LogOptions& options) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (!options.file.empty()) {
    try {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    } catch (const std::exception&) {
      sink = nullptr;
    }
  }
  const bool lost = !options.file.empty() && sink == nullptr;
  if (sink == nullptr) sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("amphora", std::move(sink));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
  logger->set_level(ToSpdlog(options.level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  if (lost) Log(LogLevel::kError, "log file can't be opened, logging to stderr: " + options.file);
}

bool LogEnabled(LogLevel level) { return spdlog::default_logger_raw()->should_log(ToSpdlog(level)); }

void Log(LogLevel level, std::string_view line) {
  if (!LogEnabled(level)) return;
  std::string escaped;
  escaped.reserve(line.size());
  AppendEscaped(escaped, line);
  spdlog::default_logger_raw()->log(ToSpdlog(level),
                                    spdlog::string_view_t(escaped.data(), escaped.size()));
}

void AppendField(std::string& line, std::string_view key, std::string_view value) {
  if (!line.empty()) line.push_back(' ');
  line.append(key).push_back('=');
  const bool plain = !value.empty() && value.find_first_of(" \"=") == std::string_view::npos;
  if (plain) {
    line.append(value);
    return;
  }
  line.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') line.push_back('\\');
    line.push_back(c);
  }
  line.push_back('"');
}

void AppendField(std::string& line, std::string_view key, std::uint64_t value) {
  AppendField(line, key, std::string_view(std::to_string(value)));
}

}  // namespace amphora
