// A command's end of the control socket. One thread at a time.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cli/control/protocol.h"

namespace amphora::cli {

class ControlClient {
 public:
  // ExitCode::kNoDaemon when none answers there.
  static Outcome<std::unique_ptr<ControlClient>> Connect(const std::string& socket);
  virtual ~ControlClient() = default;

  // The reply's body. A failure carries the daemon's message.
  virtual Outcome<Json> Call(std::string_view method, std::string_view target,
                             const Json& body) = 0;
  // The same for long work: `line` sees every line but the last, whose "result" is answered.
  virtual Outcome<Json> Stream(std::string_view method, std::string_view target, const Json& body,
                               const std::function<void(const Json& line)>& line) = 0;
  // Of the last failed call: the error's code name ("Exists"), or "".
  virtual const std::string& last_code() const = 0;
  // 0 when it is not known (another PID name space).
  virtual pid_t daemon_pid() const = 0;
};

}  // namespace amphora::cli
