// `amphora bucket set`: quotas, when S3 sees new files, and what S3 makes of owners and modes.
#include <functional>

#include "cli/bucket_settings.h"
#include "cli/commands/bucket.h"
#include "cli/commands/command.h"

namespace amphora::cli {
namespace {

constexpr const char* kNone = "none";

struct SetCommand {
  std::shared_ptr<ClientOptions> client;
  std::string path;
  std::optional<std::string> quota_bytes;
  std::optional<std::string> quota_inodes;
  std::optional<std::string> publish;
  std::optional<std::string> posix_metadata;
  std::optional<std::string> owner;
  std::optional<std::string> mode;
};

// "none" becomes null, everything else what `parse` makes of it.
template <typename Parse>
Outcome<void> AddNumber(const std::optional<std::string>& text, const char* flag, const char* name,
                        Parse&& parse, Json& body) {
  if (!text) return {};
  if (*text == kNone) {
    body[name] = nullptr;
    return {};
  }
  const auto number = parse(*text);
  if (!number) return UsageError(std::string(flag) + ": " + number.error().text);
  body[name] = *number;
  return {};
}

Outcome<void> AddOwner(const std::optional<std::string>& text, Json& body) {
  if (!text) return {};
  body["s3_uid"] = body["s3_gid"] = nullptr;
  if (*text == kNone) return {};
  const Outcome<Owner> owner = ParseOwner(*text);
  if (!owner) return UsageError("--s3-owner: " + owner.error().text);
  body["s3_uid"] = owner->uid;
  body["s3_gid"] = owner->gid;
  return {};
}

Outcome<Json> BodyOf(const SetCommand& command) {
  Json body = Json::object();
  for (const auto& added :
       {AddNumber(command.quota_bytes, "--quota-bytes", "quota_bytes", ParseAmount, body),
        AddNumber(command.quota_inodes, "--quota-inodes", "quota_inodes", ParseAmount, body),
        AddNumber(command.mode, "--s3-mode", "s3_mode", ParsePermissions, body),
        AddOwner(command.owner, body)}) {
    if (!added) return std::unexpected(added.error());
  }
  if (command.publish) body["publish"] = *command.publish;
  if (command.posix_metadata) body["posix_metadata"] = *command.posix_metadata;
  if (body.empty()) return UsageError("bucket set: name at least one setting");
  return body;
}

Outcome<ExitCode> Set(const SetCommand& command) {
  const Outcome<StorePath> path = ParseBucketPath(command.path);
  if (!path) return std::unexpected(path.error());
  const Outcome<Json> body = BodyOf(command);
  if (!body) return std::unexpected(body.error());
  auto client = ConnectDaemon(*command.client);
  if (!client) return std::unexpected(client.error());
  const Outcome<Json> answer = (*client)->Call("PATCH", BucketTarget(*path), *body);
  if (!answer) return std::unexpected(answer.error());
  if (command.client->json) PrintJson(*answer);
  return ExitCode::kDone;
}

}  // namespace

std::string BucketTarget(const StorePath& path) {
  return "/volumes/" + path.volume + "/buckets/" + path.bucket;
}

void AddBucketSet(Program& program, CLI::App& parent) {
  CLI::App* app = AddCommand(parent, "set", "Change settings of a bucket; \"none\" takes one away",
                             "amphora bucket set /s3v/photos --quota-bytes 10G");
  auto command = std::make_shared<SetCommand>();
  command->client = AddClientOptions(app, Printing::kData);
  app->add_option("/VOLUME/BUCKET", command->path, "The bucket")->required()->type_name("");
  app->add_option("--quota-bytes", command->quota_bytes,
                  "The most bytes of files and of parts of uploads: N, 10M, 5G, …")
      ->type_name("N|none");
  app->add_option("--quota-inodes", command->quota_inodes, "The most files and directories")
      ->type_name("N|none");
  app->add_option(
         "--publish", command->publish,
         "When S3 sees a file that a mount makes: at once, or from its first close or fsync")
      ->type_name("live|close");
  app->add_option("--posix-metadata", command->posix_metadata,
                  "Give mode, owner and mtime on HEAD and GET under these names")
      ->type_name("none|s3fs|aws|all");
  app->add_option("--s3-owner", command->owner, "Owner of what S3 makes under a new name")
      ->type_name("UID[:GID]|none");
  app->add_option("--s3-mode", command->mode, "Mode of files that S3 makes under a new name")
      ->type_name("OCTAL|none");
  app->callback([command, &program] { program.action = [command] { return Set(*command); }; });
}

}  // namespace amphora::cli
