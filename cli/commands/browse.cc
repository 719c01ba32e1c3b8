// `amphora browse`: the address of a bucket's page for a web browser.
#include "cli/commands/command.h"

namespace amphora::cli {
namespace {

constexpr std::int64_t kDefaultSeconds = 12 * 3600;

struct BrowseCommand {
  std::shared_ptr<ClientOptions> client;
  std::string path;
  std::string base;
  std::int64_t expires_s = kDefaultSeconds;
};

Outcome<ExitCode> Browse(const BrowseCommand& command) {
  const Outcome<StorePath> path = ParseBucketPath(command.path);
  if (!path) return std::unexpected(path.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("POST", "/browse",
                                               {{"volume", path->volume},
                                                {"bucket", path->bucket},
                                                {"url", command.base},
                                                {"expires_s", command.expires_s}});
  if (!answer) return std::unexpected(answer.error());
  if (command.client->json) {
    PrintJson(*answer);
  } else {
    Print(answer->value("url", ""));
  }
  return ExitCode::kDone;
}

}  // namespace

void AddBrowse(Program& program) {
  CLI::App* app =
      AddCommand(program.app, "browse", "Print the address of a page to look through a bucket",
                 "amphora browse /s3v/photos");
  auto command = std::make_shared<BrowseCommand>();
  command->client = AddClientOptions(app, Printing::kData);
  app->add_option("/VOLUME/BUCKET", command->path, "The bucket, or a link to it")
      ->required()
      ->type_name("");
  app->add_option("--url", command->base,
                  "How the browser reaches the endpoint, when through a proxy or a domain")
      ->type_name("http[s]://HOST[:PORT]");
  app->add_option("--expires", command->expires_s,
                  "With --auth keys: how long the address holds, 1 to 604800 [43200]")
      ->type_name("SECONDS")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{604800}));
  app->callback([command, &program] { program.action = [command] { return Browse(*command); }; });
}

}  // namespace amphora::cli
