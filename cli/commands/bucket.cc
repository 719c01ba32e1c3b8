// `amphora bucket create|list|show|delete|link`; `set` is in bucket_set.cc.
#include "cli/commands/bucket.h"

#include <cstdio>

#include "cli/commands/command.h"

namespace amphora::cli {
namespace {

struct BucketCommand {
  std::shared_ptr<ClientOptions> client;
  std::string path;
  std::string link;  // of `link`: the new name
};

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
    const std::string target = bucket.value("link_to", "");
    rows.push_back({"/" + bucket.value("volume", "") + "/" + bucket.value("name", ""),
                    bucket.value("owner", ""), bucket.value("created", "")});
    if (!target.empty()) rows.back().push_back("-> " + target);
  }
  PrintTable(rows);
  return ExitCode::kDone;
}

std::string NumberOrNone(const Json& number) {
  return number.is_null() ? "none" : std::to_string(number.get<std::uint64_t>());
}

// As `bucket set` takes them.
void AddSettings(const Json& bucket, std::vector<std::vector<std::string>>& rows) {
  rows.push_back({"quota-bytes", NumberOrNone(bucket.at("quota_bytes"))});
  rows.push_back({"quota-inodes", NumberOrNone(bucket.at("quota_inodes"))});
  rows.push_back({"publish", bucket.value("publish", "")});
  rows.push_back({"posix-metadata", bucket.value("posix_metadata", "")});
  const bool owned = !bucket.at("s3_uid").is_null();
  rows.push_back({"s3-owner", owned ? NumberOrNone(bucket.at("s3_uid")) + ":" +
                                          NumberOrNone(bucket.at("s3_gid"))
                                    : "none"});
  const Json& mode = bucket.at("s3_mode");
  char octal[16] = "none";
  if (!mode.is_null()) std::snprintf(octal, sizeof octal, "%o", mode.get<unsigned>());
  rows.push_back({"s3-mode", octal});
}

Outcome<ExitCode> Show(const BucketCommand& command) {
  const Outcome<StorePath> path = ParseBucketPath(command.path);
  if (!path) return std::unexpected(path.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("GET", BucketTarget(*path), Json::object());
  if (!answer) return std::unexpected(answer.error());
  if (command.client->json) {
    PrintJson(*answer);
    return ExitCode::kDone;
  }
  const auto number = [&](const char* name) {
    return std::to_string(answer->value(name, std::uint64_t{0}));
  };
  std::vector<std::vector<std::string>> rows = {
      {"bucket", path->text()},
      {"owner", answer->value("owner", "")},
      {"created", answer->value("created", "")},
      {"objects", number("objects")},
      {"bytes", number("bytes")},
      {"inodes", number("inodes")},
      {"bytes in parts of uploads", number("part_bytes")}};
  if (answer->contains("link_to")) {
    rows.insert(rows.begin() + 1, {"link to", answer->value("link_to", "")});
  }
  AddSettings(*answer, rows);
  PrintTable(rows);
  return ExitCode::kDone;
}

Outcome<ExitCode> Link(const BucketCommand& command) {
  const Outcome<StorePath> target = ParseBucketPath(command.path);
  if (!target) return std::unexpected(target.error());
  const Outcome<StorePath> link = ParseBucketPath(command.link);
  if (!link) return std::unexpected(link.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> made = (*client)->Call("POST", "/volumes/" + link->volume + "/links",
                                             {{"name", link->bucket},
                                              {"target_volume", target->volume},
                                              {"target_bucket", target->bucket}});
  if (!made) return std::unexpected(made.error());
  if (command.client->json) PrintJson(*made);
  return ExitCode::kDone;
}

Outcome<ExitCode> Delete(const BucketCommand& command) {
  const Outcome<StorePath> path = ParseBucketPath(command.path);
  if (!path) return std::unexpected(path.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("DELETE", BucketTarget(*path), Json::object());
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
  if (shape.body == Link) {
    app->add_option("/VOLUME/NAME", command->link, "The link; in /s3v for S3 to show it")
        ->required()
        ->type_name("");
  }
  app->callback([command, body = shape.body, &program] {
    program.action = [command, body] { return body(*command); };
  });
}

}  // namespace

void AddBucket(Program& program) {
  CLI::App* bucket =
      AddCommand(program.app, "bucket", "Create, list, show, set, delete and link buckets",
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
         {"delete", "Delete an empty bucket; of a link, the link alone",
          "amphora bucket delete /s3v/photos", Printing::kNothing, Delete});
  AddOne(program, *bucket,
         {"link", "Show a bucket under a second name",
          "amphora bucket link /projects/plans /s3v/plans", Printing::kData, Link});
  AddBucketSet(program, *bucket);
}

}  // namespace amphora::cli
