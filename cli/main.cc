// The program `amphora`: parses the command line, runs the command that it names, and tells a
// failure in one line. Exit codes: 0 done, 1 failed, 2 used wrongly, 3 no daemon.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands/command.h"
#include "cli/mount_helper.h"
#include "cli/version.h"
#include "meta/base/printable.h"

namespace amphora::cli {
namespace {

// Control characters would break the promise of one line.
std::string OneLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return Printable(text);
}

int Tell(const Failure& failure) {
  std::fprintf(stderr, "amphora: %s\n", OneLine(failure.text).c_str());
  return static_cast<int>(failure.code);
}

// "subcommand frob is not known; see `amphora bucket --help`": CLI11's words after what the command
// line named before it went wrong; for a missing subcommand CLI11 does not say what stood in its
// place.
std::string DescribeUsage(const CLI::App& app, const CLI::ParseError& error) {
  std::string name = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  std::string text = error.what();
  const std::vector<std::string> unknown = app.remaining(true);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !unknown.empty()) {
    text = "'" + unknown.front() + "' is not known";
  }
  return text + "; see `" + name + " --help`";
}

void AddCommands(Program& program) {
  AddServe(program);
  AddStop(program);
  AddMount(program);
  AddUmount(program);
  AddVolume(program);
  AddBucket(program);
  AddBrowse(program);
  AddS3(program);
  AddStatus(program);
  AddCheck(program);
  AddDump(program);
  AddGc(program);
  AddVersion(program);
  AddCompletion(program);
}

int Main(int argc, char** argv) {
  CLI::App app(
      "One store with two handles: a FUSE file system and an S3 endpoint over the same bytes.",
      "amphora");
  app.footer("Example:\n  amphora serve --background && amphora bucket create /s3v/demo");
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  Action action;
  Program program{app, action};
  AddCommands(program);
  try {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (argc > 0 && IsMountHelper(argv[0])) {
      auto ours = TranslateMountArguments(arguments);
      if (!ours) return Tell(ours.error());
      if (ours->empty()) return 0;
      arguments = std::move(*ours);
    }
    std::ranges::reverse(arguments);  // as CLI11 takes them
    app.parse(std::move(arguments));
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return Tell({ExitCode::kUsage, DescribeUsage(app, error)});
  }
  const Outcome<ExitCode> outcome = action();
  if (!outcome) return Tell(outcome.error());
  if (std::fflush(stdout) != 0)
    return Tell({ExitCode::kFailed, "standard output can't be written"});
  return static_cast<int>(*outcome);
}

}  // namespace
}  // namespace amphora::cli

int main(int argc, char** argv) {
  try {
    return amphora::cli::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "amphora: %s\n", error.what());
    return 1;
  }
}
