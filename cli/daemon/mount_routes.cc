// /mounts: what is mounted, mount, unmount.
#include "cli/daemon/daemon.h"
#include "cli/daemon/routes.h"
#include "mount/elsewhere.h"

namespace amphora::cli {
namespace {

constexpr std::size_t kMaxDirectoryBytes = 4095;  // PATH_MAX without the NUL
constexpr std::size_t kMaxMounts = 256;

// A mount that the client made where it is, and whose device it hands over.
Status TakeOver(const ControlRequest& request, mount::MountOptions& options) {
  const pid_t process = request.peer.pid;
  options.view = "/proc/" + std::to_string(process) + "/root" + options.directory;
  options.directory += " (" + mount::MountNamespace(process) + ")";
  AMPHORA_ASSIGN(options.device, mount::TakeDevice(process, request.body.at("device").get<int>()));
  return Ok();
}

}  // namespace

Json ToJson(const mount::MountFigures& figures) {
  return {{"source", "/" + figures.source},
          {"directory", figures.directory},
          {"alive", figures.alive},
          {"read_only", figures.read_only},
          {"passthrough", figures.passthrough},
          {"passthrough_reason", figures.passthrough_reason},
          {"io_uring", figures.io_uring},
          {"io_uring_reason", figures.io_uring_reason},
          {"name_invalidation", figures.name_invalidation},
          {"requests", figures.requests},
          {"invalidations", figures.invalidations}};
}

ControlReply GetMounts(Daemon& daemon, const ControlRequest&, const LineSink&) {
  Json mounts = Json::array();
  for (const mount::MountFigures& figures : daemon.mounts().Figures()) {
    mounts.push_back(ToJson(figures));
  }
  return {200, {{"mounts", std::move(mounts)}}};
}

ControlReply PostMount(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  mount::MountOptions options;
  options.directory = request.body.at("directory").get<std::string>();
  std::string source = request.body.value("source", "/");
  const std::string words = request.body.value("options", "");
  if (options.directory.empty() || options.directory.front() != '/' ||
      options.directory.size() > kMaxDirectoryBytes) {
    return ErrorReply(400, "InvalidArgument", "directory must be an absolute path");
  }
  if (source.empty() || source.front() != '/') {
    return ErrorReply(400, "InvalidArgument", "source must be /, /VOLUME or /VOLUME/BUCKET");
  }
  options.source = source.substr(1);
  std::string culprit;
  if (!mount::ParseMountOptions(words, options, culprit).ok()) {
    return ErrorReply(400, "InvalidArgument", "unknown mount option '" + culprit + "'");
  }
  if (request.body.contains("device")) {
    const Status taken = TakeOver(request, options);
    if (!taken.ok())
      return ErrorReply("cannot mount " + source + " at " + options.directory, taken.error());
  }
  if (daemon.mounts().Figures().size() >= kMaxMounts) {
    return ErrorReply(409, "TooMany", "this daemon has " + std::to_string(kMaxMounts) + " mounts");
  }
  const Result<mount::MountFigures> figures = daemon.mounts().Add(options);
  if (!figures.ok()) {
    return ErrorReply("cannot mount " + source + " at " + options.directory, figures.error());
  }
  return {200, ToJson(*figures)};
}

ControlReply DeleteMount(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const std::string directory = request.body.at("directory").get<std::string>();
  const bool force = request.body.value("force", false);
  const Status removed = daemon.mounts().Remove(directory, force);
  if (removed.Is(ErrorCode::kNotFound)) {
    return ErrorReply(404, "NotFound", "nothing of this daemon is mounted at " + directory);
  }
  if (removed.Is(ErrorCode::kBusy)) {
    return ErrorReply(409, "Busy",
                      "files are open below " + directory + "; close them, or add --force");
  }
  if (!removed.ok()) return ErrorReply("cannot unmount " + directory, removed.error());
  return {200, {{"directory", directory}}};
}

}  // namespace amphora::cli
