// `amphora dump`: every record of the store as one line of text, in key order. Secrets are masked.
#include <unistd.h>

#include <cstdint>

#include "cli/commands/command.h"
#include "meta/base/printable.h"

namespace amphora::cli {
namespace {

constexpr std::uint64_t kRecordsAStep = 1000;

Outcome<ExitCode> Run(const ClientOptions& options) {
  auto client = ConnectDaemon(options);
  if (!client) return std::unexpected(client.error());
  const bool watched = isatty(STDOUT_FILENO) != 0;  // the records themselves show how it goes on
  std::uint64_t records = 0;
  const Outcome<Json> done = [&] {
    ProgressLine progress;
    return (*client)->Stream("GET", "/dump", Json::object(), [&](const Json& line) {
      Print(options.json ? ToLine(line) : Printable(line.value("record", "")));
      if (!watched && ++records % kRecordsAStep == 0) {
        progress.Show({{"progress", {{"phase", "records"}, {"done", records}}}});
      }
    });
  }();
  if (!done) return std::unexpected(done.error());
  return ExitCode::kDone;
}

}  // namespace

void AddDump(Program& program) {
  CLI::App* command =
      AddCommand(program.app, "dump", "Print every record of the store, in key order",
                 "amphora dump | grep dentry");
  auto options = AddClientOptions(command, Printing::kData);
  command->callback([options, &program] { program.action = [options] { return Run(*options); }; });
}

}  // namespace amphora::cli
