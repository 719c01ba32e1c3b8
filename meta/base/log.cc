#include "meta/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include "meta/base/printable.h"

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

std::shared_ptr<spdlog::logger> MakeLogger(std::shared_ptr<spdlog::sinks::sink> sink,
                                           LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>("amphora", std::move(sink));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
  logger->set_level(ToSpdlog(level));
  logger->flush_on(spdlog::level::info);
  return logger;
}

// The logger in use. spdlog's own default logger can't be replaced while other threads log.
class CurrentLogger {
 public:
  CurrentLogger()
      : logger_(MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), LogLevel::kInfo)) {}

  void Set(std::shared_ptr<spdlog::logger> logger, LogLevel level) {
    std::lock_guard lock(mutex_);
    logger_ = std::move(logger);
    level_.store(level, std::memory_order_relaxed);
  }
  std::shared_ptr<spdlog::logger> Get() {
    std::lock_guard lock(mutex_);
    return logger_;
  }
  LogLevel level() const { return level_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::shared_ptr<spdlog::logger> logger_;  // guarded by mutex_
  std::atomic<LogLevel> level_{LogLevel::kInfo};
};

// Never destroyed: threads may log while the process exits.
CurrentLogger& Current() {
  static CurrentLogger& current = *new CurrentLogger;
  return current;
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
  Current().Set(MakeLogger(std::move(sink), options.level), options.level);
  if (lost) Log(LogLevel::kError, "log file can't be opened, logging to stderr: " + options.file);
}

bool LogEnabled(LogLevel level) { return level >= Current().level(); }

void Log(LogLevel level, std::string_view line) {
  if (!LogEnabled(level)) return;
  const std::string escaped = Printable(line);
  Current().Get()->log(ToSpdlog(level), spdlog::string_view_t(escaped.data(), escaped.size()));
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
