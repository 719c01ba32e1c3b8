#include "cli/daemon/routes.h"

#include <exception>

#include "meta/base/log_limit.h"

namespace amphora::cli {
namespace {

using RouteFunction = ControlReply (*)(Daemon&, const ControlRequest&, const LineSink&);

enum class Who : std::uint8_t { kOperator, kAnyUser };

struct RouteEntry {
  const char* method;
  std::vector<std::string> path;  // "*" matches any one segment
  Who who;
  RouteFunction function;
};

const std::vector<RouteEntry>& Routes() {
  static const std::vector<RouteEntry> routes = {
      {"GET", {"status"}, Who::kOperator, GetStatus},
      {"POST", {"stop"}, Who::kOperator, PostStop},
      {"GET", {"mounts"}, Who::kOperator, GetMounts},
      {"POST", {"mounts"}, Who::kOperator, PostMount},
      {"DELETE", {"mounts"}, Who::kOperator, DeleteMount},
      {"GET", {"volumes"}, Who::kOperator, ListVolumes},
      {"POST", {"volumes"}, Who::kOperator, CreateVolume},
      {"GET", {"volumes", "*"}, Who::kOperator, ShowVolume},
      {"DELETE", {"volumes", "*"}, Who::kOperator, DeleteVolume},
      {"GET", {"volumes", "*", "buckets"}, Who::kOperator, ListBuckets},
      {"POST", {"volumes", "*", "buckets"}, Who::kOperator, CreateBucket},
      {"POST", {"volumes", "*", "links"}, Who::kOperator, CreateLink},
      {"GET", {"volumes", "*", "buckets", "*"}, Who::kOperator, ShowBucket},
      {"PATCH", {"volumes", "*", "buckets", "*"}, Who::kOperator, SetBucket},
      {"DELETE", {"volumes", "*", "buckets", "*"}, Who::kOperator, DeleteBucket},
      {"POST", {"browse"}, Who::kAnyUser, PostBrowse},
      {"POST", {"s3", "secret"}, Who::kAnyUser, GetSecret},
      {"DELETE", {"s3", "secret"}, Who::kAnyUser, RevokeSecret},
      {"POST", {"check"}, Who::kOperator, PostCheck},
      {"POST", {"gc"}, Who::kOperator, PostGc},
      {"GET", {"dump"}, Who::kOperator, GetDump},
  };
  return routes;
}

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (pattern[i] != "*" && pattern[i] != path[i]) return false;
  }
  return true;
}

ControlReply Dispatch(Daemon& daemon, const ControlRequest& request, const LineSink& lines) {
  bool known_path = false;
  for (const RouteEntry& route : Routes()) {
    if (!Matches(route.path, request.path)) continue;
    known_path = true;
    if (request.method != route.method) continue;
    if (route.who == Who::kOperator && !request.peer.privileged) {
      return ErrorReply(
          403, "not_permitted",
          "only root and the user who runs the daemon may do this, not " + request.peer.user);
    }
    return route.function(daemon, request, lines);
  }
  if (known_path) return ErrorReply(405, "BadMethod", "this path has no method " + request.method);
  return ErrorReply(404, "NoSuchPath", "the control socket has no such path");
}

}  // namespace

ControlReply Route(Daemon& daemon, const ControlRequest& request, const LineSink& lines) {
  try {
    return Dispatch(daemon, request, lines);
  } catch (const Json::exception& error) {
    return ErrorReply(400, "BadRequest",
                      std::string("the request's JSON is not right: ") + error.what());
  } catch (const std::exception& error) {
    LogLimited(LogLevel::kError, "control request failed",
               std::string("control request failed: ") + error.what());
    return ErrorReply(500, "Internal", error.what());
  }
}

}  // namespace amphora::cli
