// `amphora check`: proves the running store consistent. Exit 1 when it is not.
#include "cli/commands/command.h"
#include "meta/base/printable.h"

namespace amphora::cli {
namespace {

struct CheckCommand {
  std::shared_ptr<ClientOptions> client;
  bool repair = false;
};

void PrintReport(const Json& report, std::uint64_t total) {
  for (const Json& finding : report["findings"]) {
    Print(Printable(finding.value("kind", "") + ": " + finding.value("what", "") +
                    "; a repair would " + finding.value("repair", "")));
  }
  const std::uint64_t shown = report["findings"].size();
  if (total > shown) Print("and " + std::to_string(total - shown) + " more");
  const auto count = [&](const char* what) {
    return std::to_string(report.value(what, std::uint64_t{0})) + " " + what;
  };
  Print("checked " + count("dentries") + ", " + count("inodes") + ", " + count("blobs") + ": " +
        (total == 0 ? "consistent" : std::to_string(total) + " findings"));
}

Outcome<ExitCode> Run(const CheckCommand& command) {
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  Outcome<Json> report = [&] {
    ProgressLine progress;
    return (*client)->Stream("POST", "/check", Json::object(),
                             [&](const Json& line) { progress.Show(line); });
  }();
  if (!report) return std::unexpected(report.error());
  const auto total = report->value("findings_total", std::uint64_t{0});
  if (command.client->json) {
    PrintJson(*report);
  } else {
    PrintReport(*report, total);
  }
  if (command.repair) {
    return Fail("--repair comes with a later release; nothing was changed");
  }
  return total == 0 ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

void AddCheck(Program& program) {
  CLI::App* app = AddCommand(program.app, "check",
                             "Prove the store consistent, beside running work; exit 1 if it is not",
                             "amphora check");
  auto command = std::make_shared<CheckCommand>();
  command->client = AddClientOptions(app, Printing::kData);
  app->add_flag("--repair", command->repair,
                "Repair what is found: comes with a later release, this one only reports");
  app->callback([command, &program] { program.action = [command] { return Run(*command); }; });
}

}  // namespace amphora::cli
