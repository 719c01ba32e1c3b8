// `amphora umount DIR`. A dead daemon's mount is detached also when no daemon answers.
#include "cli/commands/command.h"
#include "mount/elsewhere.h"
#include "mount/session.h"

namespace amphora::cli {
namespace {

struct UmountCommand {
  std::shared_ptr<ClientOptions> client;
  std::string directory;
  bool force = false;
};

Outcome<ExitCode> Run(const UmountCommand& command) {
  const Outcome<std::string> directory = AbsoluteDirectory(command.directory);
  if (!directory) return std::unexpected(directory.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) {
    const Result<bool> detached = mount::DetachDeadMount(*directory);
    if (client.error().code == ExitCode::kNoDaemon && detached.ok() && *detached) {
      return ExitCode::kDone;
    }
    return std::unexpected(client.error());
  }
  const Outcome<bool> here = IsElsewhere(**client);
  if (!here) return std::unexpected(here.error());
  if (*here) {
    const Status gone = mount::UnmountHere(*directory, command.force);
    if (!gone.ok()) return FailWith("cannot unmount " + *directory, gone.error());
    return ExitCode::kDone;
  }
  const Outcome<Json> answer =
      (*client)->Call("DELETE", "/mounts", {{"directory", *directory}, {"force", command.force}});
  if (!answer) return std::unexpected(answer.error());
  return ExitCode::kDone;
}

}  // namespace

void AddUmount(Program& program) {
  CLI::App* app = AddCommand(program.app, "umount", "End a mount, or clean up a dead one",
                             "amphora umount ~/demo");
  auto command = std::make_shared<UmountCommand>();
  command->client = AddClientOptions(app, Printing::kNothing);
  app->add_option("DIR", command->directory, "Where it is mounted")->required()->type_name("");
  app->add_flag("--force", command->force, "Also while files are open below it");
  app->callback([command, &program] { program.action = [command] { return Run(*command); }; });
}

}  // namespace amphora::cli
