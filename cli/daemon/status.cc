// GET /status and POST /stop.
#include <unistd.h>

#include <ctime>

#include "cli/daemon/daemon.h"
#include "cli/daemon/routes.h"
#include "cli/version.h"
#include "meta/base/metrics.h"
#include "meta/base/trouble.h"
#include "mount/elsewhere.h"

namespace amphora::cli {
namespace {

Json StoreJson(const fs::StoreFigures& figures) {
  return {{"data_directory", figures.data_directory},
          {"format", figures.format},
          {"disk", figures.disk},
          {"reflink", figures.reflink},
          {"open_handles", figures.open_handles},
          {"live_inodes", figures.live_inodes},
          {"blobs_to_collect", figures.blobs_to_collect},
          {"disk_bytes", figures.disk_bytes},
          {"disk_free_bytes", figures.disk_free_bytes},
          {"disk_full", figures.disk_full},
          {"newest_ticket", figures.newest_ticket},
          {"durable", figures.durable},
          {"poisoned", figures.poisoned}};
}

Json CountersJson() {
  Json counters = Json::object();
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
    const auto counter = static_cast<Counter>(i);
    counters[std::string(CounterName(counter))] = Value(counter);
  }
  return counters;
}

std::string ToUtc(Time time) {
  const timespec value = time.ToTimespec();
  std::tm parts{};
  gmtime_r(&value.tv_sec, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Json TroublesJson() {
  Json troubles = Json::array();
  for (const Trouble& trouble : RecentTroubles()) {
    troubles.push_back({{"time", ToUtc(trouble.when)},
                        {"error", trouble.error},
                        {"path", trouble.path},
                        {"cause", trouble.cause}});
  }
  return troubles;
}

}  // namespace

ControlReply GetStatus(Daemon& daemon, const ControlRequest&, const LineSink&) {
  const Config& config = daemon.config();
  const bool keys = config.s3.auth == s3::AuthMode::kKeys;
  Json mounts = Json::array();
  for (const mount::MountFigures& figures : daemon.mounts().Figures()) {
    mounts.push_back(ToJson(figures));
  }
  return {200,
          {{"version", kVersion},
           {"pid", getpid()},
           {"uptime_s", daemon.uptime_s()},
           {"socket", config.socket},
           {"s3",
            {{"url", daemon.s3().url()},
             {"auth", keys ? "keys" : "open"},
             {"region", config.s3.region},
             {"domains", config.s3.domains}}},
           {"store", StoreJson(daemon.engine().admin().Figures())},
           {"mounts", std::move(mounts)},
           {"mount_namespace", mount::MountNamespace()},
           {"troubles", TroublesJson()},
           {"counters", CountersJson()}}};
}

ControlReply PostStop(Daemon& daemon, const ControlRequest&, const LineSink&) {
  daemon.RequestStop();
  return {200, {{"stopping", true}}};
}

}  // namespace amphora::cli
