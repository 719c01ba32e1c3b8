// `amphora version`: this build, and with --data the store's format. Needs no daemon.
#include "cli/version.h"
#include "cli/commands/command.h"
#include "fs/engine.h"
#include "meta/base/failpoint.h"

namespace amphora::cli {
namespace {

struct VersionCommand {
  std::string data_directory;
  bool json = false;
};

Outcome<ExitCode> Run(const VersionCommand& command) {
  Json answer = {
      {"version", kVersion}, {"store_format", fs::kStoreFormat}, {"failpoints", kHasFailpoints}};
  std::vector<std::vector<std::string>> rows = {{"amphora", kVersion},
                                                {"store format", std::to_string(fs::kStoreFormat)}};
  if (kHasFailpoints) rows.push_back({"failpoints", "compiled in, for tests"});
  if (!command.data_directory.empty()) {
    const Result<std::uint32_t> format = fs::ReadStoreFormat(command.data_directory);
    if (format.Is(ErrorCode::kNotFound)) return Fail("no store in " + command.data_directory);
    if (!format.ok()) return FailWith("data directory " + command.data_directory, format.error());
    answer["data_format"] = *format;
    rows.push_back({command.data_directory,
                    "format " + std::to_string(*format) +
                        (*format > fs::kStoreFormat ? ", newer than this build" : "")});
  }
  if (command.json) {
    PrintJson(answer);
  } else {
    PrintTable(rows);
  }
  return ExitCode::kDone;
}

}  // namespace

void AddVersion(Program& program) {
  CLI::App* app =
      AddCommand(program.app, "version", "Print the version and the store format; needs no daemon",
                 "amphora version --data /var/lib/amphora");
  auto command = std::make_shared<VersionCommand>();
  app->add_option("--data", command->data_directory,
                  "Also the format of the store in this directory")
      ->type_name("DIR");
  app->add_flag("--json", command->json, "Print JSON");
  app->callback([command, &program] { program.action = [command] { return Run(*command); }; });
}

}  // namespace amphora::cli
