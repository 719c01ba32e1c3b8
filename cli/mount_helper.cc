#include "cli/mount_helper.h"

#include <string_view>

namespace amphora::cli {
namespace {

constexpr std::string_view kSocket = "socket=";
constexpr std::string_view kScheme = "amphora:";

std::string SourceOf(std::string_view source) {
  if (source == "amphora" || source == "none") return "/";
  if (source.starts_with(kScheme)) source.remove_prefix(kScheme.size());
  return source.empty() ? "/" : std::string(source);
}

// Splits mount(8)'s words into ours and where the daemon is.
void TakeOptions(std::string_view words, std::string& options, std::string& socket) {
  while (!words.empty()) {
    const std::size_t comma = words.find(',');
    const std::string_view word = words.substr(0, comma);
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
    if (word.starts_with(kSocket)) {
      socket = word.substr(kSocket.size());
    } else if (!word.empty()) {
      options.append(options.empty() ? "" : ",").append(word);
    }
  }
}

struct Taken {
  std::vector<std::string> places;
  std::string options;
  std::string socket;
  bool fake = false;
};

Outcome<Taken> Take(std::span<const std::string> arguments) {
  Taken taken;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "-o" || argument == "-t" || argument == "-N") {
      if (++i == arguments.size()) return UsageError(argument + " needs a value");
      if (argument == "-o") TakeOptions(arguments[i], taken.options, taken.socket);
      if (argument == "-N") return UsageError("-N: the daemon mounts in its own namespace");
    } else if (argument.size() > 1 && argument.front() == '-') {
      if (argument.find_first_not_of("sfnv", 1) != std::string::npos) {
        return UsageError("'" + argument + "' is no option of a mount helper");
      }
      taken.fake = taken.fake || argument.find('f') != std::string::npos;
    } else {
      taken.places.push_back(argument);
    }
  }
  if (taken.places.size() != 2)
    return UsageError("usage: mount.fuse.amphora SOURCE DIR [-o WORDS]");
  return taken;
}

}  // namespace

bool IsMountHelper(const std::string& program) {
  const std::string_view name = std::string_view(program).substr(program.find_last_of('/') + 1);
  return name == "mount.fuse.amphora" || name == "mount.amphora";
}

Outcome<std::vector<std::string>> TranslateMountArguments(std::span<const std::string> arguments) {
  auto taken = Take(arguments);
  if (!taken) return std::unexpected(taken.error());
  if (taken->fake) return std::vector<std::string>();
  std::vector<std::string> ours = {"mount", SourceOf(taken->places[0]), taken->places[1]};
  for (const auto& [flag, value] :
       {std::pair{"-o", taken->options}, std::pair{"--socket", taken->socket}}) {
    if (value.empty()) continue;
    ours.emplace_back(flag);
    ours.push_back(value);
  }
  return ours;
}

}  // namespace amphora::cli
