// `amphora gc`: removes now the blobs that nothing refers to.
#include "cli/commands/command.h"

namespace amphora::cli {
namespace {

Outcome<ExitCode> Run(const ClientOptions& options) {
  auto client = ConnectDaemon(options);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> report = [&] {
    ProgressLine progress;
    return (*client)->Stream("POST", "/gc", Json::object(),
                             [&](const Json& line) { progress.Show(line); });
  }();
  if (!report) return std::unexpected(report.error());
  if (options.json) {
    PrintJson(*report);
  } else {
    Print(std::to_string(report->value("blobs_removed", std::uint64_t{0})) + " blobs removed");
  }
  return ExitCode::kDone;
}

}  // namespace

void AddGc(Program& program) {
  CLI::App* command =
      AddCommand(program.app, "gc", "Remove now the blobs that nothing refers to", "amphora gc");
  auto options = AddClientOptions(command, Printing::kData);
  command->callback([options, &program] { program.action = [options] { return Run(*options); }; });
}

}  // namespace amphora::cli
