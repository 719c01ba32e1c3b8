// `amphora bucket create|list|show|delete`.
#include "cli/commands/command.h"

namespace amphora::cli {
namespace {

struct BucketCommand {
  std::shared_ptr<ClientOptions> client;
  std::string path;
};

std::string TargetOf(const StorePath& path) {
  return "/volumes/" + path.volume + "/buckets/" + path.bucket;
}

Outcome<ExitCode> Create(const BucketCommand& command) {
  const Outcome<StorePath> path = ParseBucketPath(command.path);
  if (!path) return std::unexpected(path.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> made =
      (*client)->Call("POST", "/volumes/" + path->volume + "/buckets", {{"name", path->bucket}});
  if (!made) return std::unexpected(made.error());
  if (command.client->json) PrintJson(*made);
  return ExitCode::kDone;
}

Outcome<ExitCode> List(const BucketCommand& command) {
  const Outcome<std::string> volume = ParseVolumePath(command.path);
  if (!volume) return std::unexpected(volume.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer =
      (*client)->Call("GET", "/volumes/" + *volume + "/buckets", Json::object());
  if (!answer) return std::unexpected(answer.error());
  if (command.client->json) {
    PrintJson((*answer)["buckets"]);
    return ExitCode::kDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& bucket : (*answer)["buckets"]) {
    rows.push_back({"/" + bucket.value("volume", "") + "/" + bucket.value("name", ""),
                    bucket.value("owner", ""), bucket.value("created", "")});
  }
  PrintTable(rows);
  return ExitCode::kDone;
}

Outcome<ExitCode> Show(const BucketCommand& command) {
  const Outcome<StorePath> path = ParseBucketPath(command.path);
  if (!path) return std::unexpected(path.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("GET", TargetOf(*path), Json::object());
  if (!answer) return std::unexpected(answer.error());
  if (command.client->json) {
    PrintJson(*answer);
    return ExitCode::kDone;
  }
  PrintTable({{"bucket", path->text()},
              {"owner", answer->value("owner", "")},
              {"created", answer->value("created", "")},
              {"objects", std::to_string(answer->value("objects", std::uint64_t{0}))},
              {"bytes", std::to_string(answer->value("bytes", std::uint64_t{0}))}});
  return ExitCode::kDone;
}

Outcome<ExitCode> Delete(const BucketCommand& command) {
  const Outcome<StorePath> path = ParseBucketPath(command.path);
  if (!path) return std::unexpected(path.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("DELETE", TargetOf(*path), Json::object());
  if (!answer) return std::unexpected(answer.error());
  return ExitCode::kDone;
}

using Body = Outcome<ExitCode> (*)(const BucketCommand&);

struct Shape {
  const char* name;
  const char* help;
  const char* example;
  Printing printing;
  Body body;
};

void AddOne(Program& program, CLI::App& parent, const Shape& shape) {
  CLI::App* app = AddCommand(parent, shape.name, shape.help, shape.example);
  auto command = std::make_shared<BucketCommand>();
  command->client = AddClientOptions(app, shape.printing);
  if (shape.body == List) {
    command->path = "/s3v";
    app->add_option("/VOLUME", command->path, "The volume [/s3v]")->type_name("");
  } else {
    app->add_option("/VOLUME/BUCKET", command->path, "The bucket")->required()->type_name("");
  }
  app->callback([command, body = shape.body, &program] {
    program.action = [command, body] { return body(*command); };
  });
}

}  // namespace

void AddBucket(Program& program) {
  CLI::App* bucket = AddCommand(program.app, "bucket", "Create, list, show and delete buckets",
                                "amphora bucket create /s3v/photos");
  bucket->require_subcommand(1);
  AddOne(
      program, *bucket,
      {"create", "Create a bucket", "amphora bucket create /s3v/photos", Printing::kData, Create});
  AddOne(program, *bucket,
         {"list", "List a volume's buckets", "amphora bucket list /s3v --json", Printing::kData,
          List});
  AddOne(program, *bucket,
         {"show", "Show one bucket and how much is in it", "amphora bucket show /s3v/photos",
          Printing::kData, Show});
  AddOne(program, *bucket,
         {"delete", "Delete an empty bucket", "amphora bucket delete /s3v/photos",
          Printing::kNothing, Delete});
}

}  // namespace amphora::cli
