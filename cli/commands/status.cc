// `amphora status`: what the daemon is, serves and has counted.
#include <array>
#include <cstdio>

#include "cli/commands/command.h"

namespace amphora::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string Text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return ToLine(value);
}

std::string Granted(const Json& mount, const char* what) {
  if (mount.value(what, false)) return "yes";
  const std::string reason = mount.value(std::string(what) + "_reason", "");
  return reason.empty() ? "no" : "no (" + reason + ")";
}

std::string Uptime(std::uint64_t seconds) {
  const std::uint64_t days = seconds / 86'400;
  const std::uint64_t hours = seconds / 3'600 % 24;
  const std::uint64_t minutes = seconds / 60 % 60;
  std::string text;
  if (days > 0) text += std::to_string(days) + " d ";
  if (hours > 0 || days > 0) text += std::to_string(hours) + " h ";
  if (minutes > 0 || hours > 0 || days > 0) text += std::to_string(minutes) + " min ";
  return text + std::to_string(seconds % 60) + " s";
}

std::string Bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  auto value = static_cast<double>(bytes);
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits.at(unit));
  return text;
}

// The last errors that programs got and that are the daemon's to explain.
void PrintTroubles(const Json& troubles) {
  if (troubles.empty()) return;
  Print("");
  Print("last troubles");
  Rows rows;
  for (const Json& trouble : troubles) {
    rows.push_back({"  " + Text(trouble["time"]), Text(trouble["error"]), Text(trouble["path"]),
                    Text(trouble["cause"])});
  }
  PrintTable(rows);
}

void PrintMount(const Json& mount) {
  Print("");
  PrintTable({{"mount", Text(mount["source"]) + " at " + Text(mount["directory"])},
              {"  read only", Text(mount["read_only"])},
              {"  passthrough", Granted(mount, "passthrough")},
              {"  io_uring", Granted(mount, "io_uring")},
              {"  name invalidation", Text(mount["name_invalidation"])},
              {"  requests", Text(mount["requests"])},
              {"  invalidations", Text(mount["invalidations"])}});
}

void PrintStatus(const Json& status) {
  const Json& s3 = status.at("s3");
  const Json& store = status.at("store");
  PrintTable({{"version", Text(status["version"])},
              {"pid", Text(status["pid"])},
              {"uptime", Uptime(status.value("uptime_s", std::uint64_t{0}))},
              {"socket", Text(status["socket"])},
              {"s3", Text(s3["url"])},
              {"s3 auth", Text(s3["auth"])},
              {"s3 region", Text(s3["region"])},
              {"data directory", Text(store["data_directory"])},
              {"store format", Text(store["format"])},
              {"disk", Text(store["disk"])},
              {"reflink", Text(store["reflink"])},
              {"all answered is durable", Text(store["durable"])},
              {"poisoned", Text(store["poisoned"])},
              {"open handles", Text(store["open_handles"])},
              {"live inodes", Text(store["live_inodes"])},
              {"blobs to collect", Text(store["blobs_to_collect"])},
              {"free for content", Bytes(store.value("disk_free_bytes", std::uint64_t{0})) +
                                       (store.value("disk_full", false) ? ": full" : "")}});
  for (const Json& mount : status.at("mounts")) PrintMount(mount);
  PrintTroubles(status.at("troubles"));
  Print("");
  Rows counters;
  for (const auto& [name, value] : status.at("counters").items()) {
    counters.push_back({name, Text(value)});
  }
  PrintTable(counters);
}

Outcome<ExitCode> Run(const ClientOptions& options) {
  auto client = ConnectDaemon(options);
  if (!client) return std::unexpected(client.error());
  Outcome<Json> status = (*client)->Call("GET", "/status", Json::object());
  if (!status) return std::unexpected(status.error());
  if (options.json) {
    PrintJson(*status);
  } else {
    PrintStatus(*status);
  }
  return ExitCode::kDone;
}

}  // namespace

void AddStatus(Program& program) {
  CLI::App* command = AddCommand(program.app, "status", "Show the daemon, its mounts and counters",
                                 "amphora status --json");
  auto options = AddClientOptions(command, Printing::kData);
  command->callback([options, &program] { program.action = [options] { return Run(*options); }; });
}

}  // namespace amphora::cli
