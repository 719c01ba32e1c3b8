#include "meta/rocks_log.h"

#include <cstdarg>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "meta/base/log.h"

namespace amphora::meta {
namespace {

class ForwardingLogger final : public rocksdb::Logger {
 public:
  ForwardingLogger() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    Logv(rocksdb::InfoLogLevel::WARN_LEVEL, format, arguments);
  }
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (level < rocksdb::InfoLogLevel::WARN_LEVEL || level == rocksdb::InfoLogLevel::HEADER_LEVEL) {
      return;
    }
    // RocksDB warns at each open and of each slowed write; what concerns users it reports as
    // errors.
    const LogLevel ours =
        level == rocksdb::InfoLogLevel::WARN_LEVEL ? LogLevel::kDebug : LogLevel::kError;
    if (!LogEnabled(ours)) return;
    try {
      char text[1000];  // longer messages are cut
      std::vsnprintf(text, sizeof(text), format, arguments);
      std::string_view message = text;
      while (message.ends_with('\n')) message.remove_suffix(1);
      std::string line = "event=rocksdb";
      AppendField(line, "text", message);
      Log(ours, line);
    } catch (const std::exception&) {
      // No memory for a message: RocksDB must not meet an exception.
    }
  }
};

}  // namespace

std::shared_ptr<rocksdb::Logger> NewForwardingLogger() {
  return std::make_shared<ForwardingLogger>();
}

}  // namespace amphora::meta
