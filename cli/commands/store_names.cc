// An argument is known by the name that the command's help gives it, so that a new command is
// completed without a line here.
#include "cli/commands/store_names.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>

namespace amphora::cli {
namespace {

constexpr unsigned kMostSeconds = 1;

enum class Wanted : std::uint8_t {
  kNothing,
  kVolume,     // "/s3v"
  kNewBucket,  // "/s3v/": a name there that is still to be made
  kBucket,     // "/s3v/demo"
  kMountPoint,
};

std::vector<const CLI::Option*> Arguments(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

Wanted WantedBy(const CLI::App& command, const CLI::Option& argument) {
  const std::string name = argument.get_single_name();
  const bool makes = command.get_name() == "create";
  if (name == "/VOLUME") {
    // `bucket list` takes a volume too; only `volume create` makes one.
    return makes ? Wanted::kNothing : Wanted::kVolume;
  }
  if (name == "/VOLUME/BUCKET") return makes ? Wanted::kNewBucket : Wanted::kBucket;
  if (name == "/VOLUME/NAME") return Wanted::kNewBucket;
  if (command.get_name() == "mount") return Wanted::kBucket;
  if (command.get_name() == "umount") return Wanted::kMountPoint;
  return Wanted::kNothing;
}

// Where the words have led to.
struct Place {
  const CLI::App* command = nullptr;
  std::size_t arguments = 0;                 // that are there already
  std::map<std::string, std::string> flags;  // "--socket" → its value
};

// "--socket=PATH" comes as one word, or from bash as three.
void TakeFlag(const std::vector<std::string>& words, std::size_t& at, Place& place) {
  const std::string& word = words[at];
  const std::size_t equals = word.find('=');
  if (equals != std::string::npos) {
    place.flags[word.substr(0, equals)] = word.substr(equals + 1);
    return;
  }
  const CLI::Option* option = place.command->get_option_no_throw(word);
  if (option == nullptr || option->get_items_expected_max() == 0) return;
  if (at + 1 < words.size() && words[at + 1] == "=") ++at;
  if (at + 1 < words.size()) place.flags[word] = words[++at];
}

const CLI::App* Subcommand(const CLI::App& command, const std::string& name) {
  const auto named = [&](const CLI::App* sub) { return sub->get_name() == name; };
  const auto found = command.get_subcommands(named);
  return found.empty() ? nullptr : found.front();
}

Place Walk(const CLI::App& program, const std::vector<std::string>& words) {
  Place place{&program, 0, {}};
  for (std::size_t at = 0; at + 1 < words.size(); ++at) {
    if (words[at].starts_with('-')) {
      TakeFlag(words, at, place);
    } else if (const CLI::App* command = Subcommand(*place.command, words[at])) {
      place.command = command;
    } else {
      ++place.arguments;
    }
  }
  return place;
}

// The shell hands words over as they were typed.
std::string WithHome(const std::string& path) {
  const char* home = std::getenv("HOME");
  return path.starts_with("~/") && home != nullptr ? home + path.substr(1) : path;
}

ClientOptions OptionsOf(const Place& place) {
  ClientOptions options;
  for (const auto& [flag, value] : place.flags) {
    if (flag == "--socket" || flag == "--data") options.flags[flag] = WithHome(value);
    if (flag == "--config") options.config_file = WithHome(value);
  }
  return options;
}

// The field `field` of each that `target` lists under `list`.
std::vector<std::string> Listed(ControlClient& client, const std::string& target, const char* list,
                                const char* field) {
  std::vector<std::string> names;
  const Outcome<Json> answer = client.Call("GET", target, Json::object());
  if (!answer || !answer->contains(list)) return names;
  for (const Json& one : (*answer)[list]) names.push_back(one.value(field, ""));
  return names;
}

std::vector<std::string> Buckets(ControlClient& client, const std::string& volume) {
  std::vector<std::string> paths;
  for (const std::string& name :
       Listed(client, "/volumes/" + volume + "/buckets", "buckets", "name")) {
    paths.push_back("/" + volume + "/" + name);
  }
  return paths;
}

std::vector<std::string> Candidates(ControlClient& client, Wanted wanted,
                                    const std::string& typed) {
  if (wanted == Wanted::kMountPoint) return Listed(client, "/mounts", "mounts", "directory");
  const std::size_t slash = typed.find('/', 1);
  if (slash != std::string::npos) {
    if (wanted != Wanted::kBucket) return {};
    return Buckets(client, typed.substr(1, slash - 1));
  }
  std::vector<std::string> paths;
  for (const std::string& name : Listed(client, "/volumes", "volumes", "name")) {
    const std::string path = "/" + name + (wanted == Wanted::kVolume ? "" : "/");
    if (path.starts_with(typed)) paths.push_back(path);
  }
  // With one volume to choose from its buckets are the choice.
  if (wanted == Wanted::kBucket && paths.size() == 1) {
    auto buckets = Buckets(client, paths.front().substr(1, paths.front().size() - 2));
    if (!buckets.empty()) return buckets;
  }
  return paths;
}

// Somebody waits for the Tab key: a daemon that hangs must not keep them.
void LimitTime() {
  struct sigaction end = {};
  end.sa_handler = [](int) { _exit(0); };
  sigaction(SIGALRM, &end, nullptr);
  alarm(kMostSeconds);
}

}  // namespace

bool TakesNames(const CLI::App& command) {
  for (const CLI::Option* argument : Arguments(command)) {
    if (WantedBy(command, *argument) != Wanted::kNothing) return true;
  }
  return false;
}

std::vector<std::string> CompleteNames(const CLI::App& program,
                                       const std::vector<std::string>& words) {
  if (words.empty() || words.back().starts_with('-')) return {};
  const Place place = Walk(program, words);
  const auto arguments = Arguments(*place.command);
  if (place.arguments >= arguments.size()) return {};
  const Wanted wanted = WantedBy(*place.command, *arguments[place.arguments]);
  if (wanted == Wanted::kNothing) return {};
  LimitTime();
  auto client = ConnectDaemon(OptionsOf(place));
  if (!client) return {};
  const std::string typed = WithHome(words.back());
  std::vector<std::string> names;
  for (std::string& name : Candidates(**client, wanted, typed)) {
    // One a line: a name that is two lines can't be told.
    if (name.starts_with(typed) && name.find('\n') == std::string::npos) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

}  // namespace amphora::cli
