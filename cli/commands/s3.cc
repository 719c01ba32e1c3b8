// `amphora s3 getsecret|revokesecret`: the access key that --auth keys checks signatures with.
#include "cli/commands/command.h"

namespace amphora::cli {
namespace {

struct SecretCommand {
  std::shared_ptr<ClientOptions> client;
  std::string user;  // empty: the caller's own
};

Json BodyOf(const SecretCommand& command) {
  return command.user.empty() ? Json::object() : Json{{"user", command.user}};
}

Outcome<ExitCode> Get(const SecretCommand& command) {
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> key = (*client)->Call("POST", "/s3/secret", BodyOf(command));
  if (!key) return std::unexpected(key.error());
  if (command.client->json) {
    PrintJson(*key);
    return ExitCode::kDone;
  }
  Print("awsAccessKey=" + key->value("awsAccessKey", ""));
  Print("awsSecret=" + key->value("awsSecret", ""));
  return ExitCode::kDone;
}

Outcome<ExitCode> Revoke(const SecretCommand& command) {
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("DELETE", "/s3/secret", BodyOf(command));
  if (!answer) return std::unexpected(answer.error());
  return ExitCode::kDone;
}

void AddOne(Program& program, CLI::App& parent, const char* name, const char* help,
            const char* example, Printing printing,
            Outcome<ExitCode> (*body)(const SecretCommand&)) {
  CLI::App* app = AddCommand(parent, name, help, example);
  auto command = std::make_shared<SecretCommand>();
  command->client = AddClientOptions(app, printing);
  app->add_option("-u,--user", command->user,
                  "Another's access key, such as testuser/scm@EXAMPLE.COM (root only)")
      ->type_name("NAME");
  app->callback(
      [command, body, &program] { program.action = [command, body] { return body(*command); }; });
}

}  // namespace

void AddS3(Program& program) {
  CLI::App* s3 =
      AddCommand(program.app, "s3", "Access keys of the S3 endpoint", "amphora s3 getsecret");
  s3->require_subcommand(1);
  AddOne(program, *s3, "getsecret", "Print your access key and its secret; made when there is none",
         "amphora s3 getsecret", Printing::kData, Get);
  AddOne(program, *s3, "revokesecret", "Make your access key invalid, at once",
         "amphora s3 revokesecret", Printing::kNothing, Revoke);
}

}  // namespace amphora::cli
