// `amphora mount [/volume[/bucket]] DIR [-o OPTIONS]`.
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <thread>

#include "cli/commands/command.h"
#include "mount/elsewhere.h"
#include "mount/session.h"

namespace amphora::cli {
namespace {

struct MountCommand {
  std::shared_ptr<ClientOptions> client;
  std::vector<std::string> arguments;  // [SOURCE] DIR
  std::vector<std::string> words;      // each -o
};

std::string DescribeMount(const Json& figures) {
  std::string line =
      "mounted " + figures.value("source", "/") + " at " + figures.value("directory", "");
  line += figures.value("io_uring", false) ? ", io_uring" : ", classic queue";
  line += figures.value("passthrough", false) ? ", passthrough" : ", through the daemon";
  return line;
}

// Nobody but who stands in a mount namespace mounts there: so the program does, and hands the
// device over to the daemon. The mount is used once at that, which shows the daemon that it is
// served.
Outcome<Json> MountHere(ControlClient& client, Json request, const mount::MountOptions& options) {
  const std::string directory = request.at("directory").get<std::string>();
  const Result<int> device =
      mount::MountHere(request.at("source").get<std::string>(), directory, options);
  if (!device.ok()) return FailWith("cannot mount at " + directory, device.error());
  // A daemon that is not root may copy the descriptor where the kernel lets debuggers in.
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  request["device"] = *device;
  std::thread first_user([&directory] {
    struct statfs ignored;
    statfs(directory.c_str(), &ignored);
  });
  Outcome<Json> figures = client.Call("POST", "/mounts", request);
  // Ends the first user's wait, too.
  if (!figures) (void)mount::UnmountHere(directory, true);
  first_user.join();
  close(*device);
  return figures;
}

Outcome<ExitCode> Run(const MountCommand& command) {
  std::string source = "/";
  if (command.arguments.size() == 2) {
    const Outcome<StorePath> path = ParseStorePath(command.arguments.front());
    if (!path) return std::unexpected(path.error());
    source = path->text();
  }
  const Outcome<std::string> directory = AbsoluteDirectory(command.arguments.back());
  if (!directory) return std::unexpected(directory.error());
  std::string words;
  for (const std::string& word : command.words) words += (words.empty() ? "" : ",") + word;
  mount::MountOptions checked;
  std::string culprit;
  if (!mount::ParseMountOptions(words, checked, culprit).ok()) {
    return UsageError("-o: unknown mount option '" + culprit + "'");
  }
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Json request = {{"source", source}, {"directory", *directory}, {"options", words}};
  const Outcome<bool> here = IsElsewhere(**client);
  if (!here) return std::unexpected(here.error());
  const Outcome<Json> figures =
      *here ? MountHere(**client, request, checked) : (*client)->Call("POST", "/mounts", request);
  if (!figures) return std::unexpected(figures.error());
  if (command.client->json) {
    PrintJson(*figures);
  } else {
    Print(DescribeMount(*figures));
  }
  return ExitCode::kDone;
}

}  // namespace

void AddMount(Program& program) {
  CLI::App* app =
      AddCommand(program.app, "mount", "Mount the whole store, a volume or a bucket at a directory",
                 "amphora mount /s3v/demo ~/demo -o ro,noexec");
  auto command = std::make_shared<MountCommand>();
  command->client = AddClientOptions(app, Printing::kData);
  app->add_option("where", command->arguments, "[/VOLUME[/BUCKET]] DIR; no source: the whole store")
      ->required()
      ->expected(1, 2)
      ->type_name("");
  app->add_option("-o", command->words, "Mount options, separated by commas, as of mount(8)")
      ->type_name("OPTIONS")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app->callback([command, &program] { program.action = [command] { return Run(*command); }; });
}

}  // namespace amphora::cli
