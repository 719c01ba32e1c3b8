// `amphora volume create|list|show|delete`.
#include "cli/commands/command.h"

namespace amphora::cli {
namespace {

struct VolumeCommand {
  std::shared_ptr<ClientOptions> client;
  std::string path;
};

Outcome<ExitCode> Create(const VolumeCommand& command) {
  const Outcome<std::string> volume = ParseVolumePath(command.path);
  if (!volume) return std::unexpected(volume.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> made = (*client)->Call("POST", "/volumes", {{"name", *volume}});
  if (!made) {
    // /s3v comes with the store: scripts written for Ozone create it first, and may go on.
    if (*volume != "s3v" || (*client)->last_code() != "Exists")
      return std::unexpected(made.error());
    Print("volume /s3v exists already: every store has it from its first start");
    return ExitCode::kDone;
  }
  if (command.client->json) PrintJson(*made);
  return ExitCode::kDone;
}

Outcome<ExitCode> List(const VolumeCommand& command) {
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("GET", "/volumes", Json::object());
  if (!answer) return std::unexpected(answer.error());
  if (command.client->json) {
    PrintJson((*answer)["volumes"]);
    return ExitCode::kDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& volume : (*answer)["volumes"]) {
    rows.push_back(
        {"/" + volume.value("name", ""), volume.value("owner", ""), volume.value("created", "")});
  }
  PrintTable(rows);
  return ExitCode::kDone;
}

Outcome<ExitCode> Show(const VolumeCommand& command) {
  const Outcome<std::string> volume = ParseVolumePath(command.path);
  if (!volume) return std::unexpected(volume.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("GET", "/volumes/" + *volume, Json::object());
  if (!answer) return std::unexpected(answer.error());
  if (command.client->json) {
    PrintJson(*answer);
    return ExitCode::kDone;
  }
  PrintTable({{"volume", "/" + answer->value("name", "")},
              {"owner", answer->value("owner", "")},
              {"created", answer->value("created", "")},
              {"buckets", std::to_string(answer->value("buckets", std::uint64_t{0}))}});
  return ExitCode::kDone;
}

Outcome<ExitCode> Delete(const VolumeCommand& command) {
  const Outcome<std::string> volume = ParseVolumePath(command.path);
  if (!volume) return std::unexpected(volume.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("DELETE", "/volumes/" + *volume, Json::object());
  if (!answer) return std::unexpected(answer.error());
  return ExitCode::kDone;
}

using Body = Outcome<ExitCode> (*)(const VolumeCommand&);

void AddOne(Program& program, CLI::App& parent, const char* name, const char* help,
            const char* example, Printing printing, bool takes_path, Body body) {
  CLI::App* app = AddCommand(parent, name, help, example);
  auto command = std::make_shared<VolumeCommand>();
  command->client = AddClientOptions(app, printing);
  if (takes_path) {
    app->add_option("/VOLUME", command->path, "The volume's name")->required()->type_name("");
  }
  app->callback(
      [command, body, &program] { program.action = [command, body] { return body(*command); }; });
}

}  // namespace

void AddVolume(Program& program) {
  CLI::App* volume = AddCommand(program.app, "volume", "Create, list, show and delete volumes",
                                "amphora volume create /projects");
  volume->require_subcommand(1);
  AddOne(program, *volume, "create", "Create a volume", "amphora volume create /projects",
         Printing::kData, true, Create);
  AddOne(program, *volume, "list", "List the volumes", "amphora volume list --json",
         Printing::kData, false, List);
  AddOne(program, *volume, "show", "Show one volume", "amphora volume show /s3v", Printing::kData,
         true, Show);
  AddOne(program, *volume, "delete", "Delete an empty volume", "amphora volume delete /projects",
         Printing::kNothing, true, Delete);
}

}  // namespace amphora::cli
