// The words that both ends of the control socket share. HTTP/1.1 with JSON over a unix socket, so
// that `curl --unix-socket PATH http://amphora/status` works. A plain answer is one JSON value.
// Long work answers JSON lines (application/x-ndjson): {"progress": …} or {"record": …} any number
// of times, then one {"result": …} or {"error": …}. Every failure is {"error": {"code": NAME,
// "message": TEXT}}. Values and pure functions; thread-safe.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/outcome.h"

namespace amphora::cli {

using Json = nlohmann::json;

inline constexpr std::size_t kMaxControlHeaderBytes = 8 << 10;
inline constexpr std::size_t kMaxControlBodyBytes = 64 << 10;    // of a request
inline constexpr std::size_t kMaxControlReplyBytes = 256 << 20;  // of a plain reply, at the client
inline constexpr std::chrono::seconds kControlTimeout{30};  // of one read or write at the daemon

// Who is at the other end, by SO_PEERCRED (unix(7)).
struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  std::string user;         // its name, or "uid-1000" when it has none
  bool privileged = false;  // root, or who runs the daemon
};

struct ControlRequest {
  Peer peer;
  std::string method;
  std::vector<std::string> path;  // "/volumes/s3v" -> {"volumes", "s3v"}
  Json body = Json::object();
};

struct ControlReply {
  unsigned status = 200;
  Json body = Json::object();
};

// Lines of long work on their way to the client. False: the client is gone; the work may stop.
using LineSink = std::function<bool(const Json& line)>;
using ControlHandler = std::function<ControlReply(const ControlRequest&, const LineSink&)>;

ControlReply ErrorReply(unsigned status, std::string_view code, std::string_view message);
// `what` failed with an engine's error: the status says of what kind it is.
ControlReply ErrorReply(const std::string& what, const Error& error);
// The failure that an {"error": …} describes, in its words.
Failure FailureOf(const Json& error);

// Text for a socket or a terminal; bytes that are not UTF-8 are shown as U+FFFD, never thrown
// about.
std::string ToLine(const Json& value);

}  // namespace amphora::cli
