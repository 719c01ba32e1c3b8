// What every command is made of. A command's file adds its subcommand to the program and, when the
// command line names it, sets the action that main then runs. Main's thread only.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/config.h"
#include "cli/control/client.h"
#include "cli/outcome.h"

namespace amphora::cli {

using Action = std::function<Outcome<ExitCode>()>;

struct Program {
  CLI::App& app;
  Action& action;
};

void AddServe(Program& program);
void AddStop(Program& program);
void AddMount(Program& program);
void AddUmount(Program& program);
void AddVolume(Program& program);
void AddBucket(Program& program);
void AddBrowse(Program& program);
void AddS3(Program& program);
void AddStatus(Program& program);
void AddCheck(Program& program);
void AddDump(Program& program);
void AddGc(Program& program);
void AddVersion(Program& program);
// Writes down every command that was added before it.
void AddCompletion(Program& program);

// A subcommand with its help, which always shows an example.
CLI::App* AddCommand(CLI::App& parent, const char* name, const char* help, const char* example);

// How a command finds its daemon and how it prints; shared by every command that asks one.
struct ClientOptions {
  std::optional<std::string> config_file;
  FlagValues flags;
  bool json = false;
};
enum class Printing : std::uint8_t { kNothing, kData };
// Adds --socket, --data and --config, and --json where data is printed.
std::shared_ptr<ClientOptions> AddClientOptions(CLI::App* command, Printing printing);
Outcome<std::unique_ptr<ControlClient>> ConnectDaemon(const ClientOptions& options);

// Whether this program stands in another mount namespace than the daemon.
Outcome<bool> IsElsewhere(ControlClient& client);

// "/", "/volume" or "/volume/bucket".
struct StorePath {
  std::string volume;
  std::string bucket;
  std::string text() const;
};
// Usage errors name what is wrong with `text`.
Outcome<StorePath> ParseStorePath(const std::string& text);
Outcome<std::string> ParseVolumePath(const std::string& text);
Outcome<StorePath> ParseBucketPath(const std::string& text);
// Against the working directory; the last component need not exist. Usage error unless UTF-8.
Outcome<std::string> AbsoluteDirectory(const std::string& text);

// Whole lines to standard output.
void Print(std::string_view text);
void PrintJson(const Json& value);
// Columns aligned by spaces; control characters as \xNN, since cells may hold names of files.
void PrintTable(const std::vector<std::vector<std::string>>& rows);
// Shows the progress lines of long work on one line of a terminal, nothing elsewhere. Clears it at
// the end.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void Show(const Json& line);

 private:
  const bool terminal_;
  bool shown_ = false;
};

}  // namespace amphora::cli
