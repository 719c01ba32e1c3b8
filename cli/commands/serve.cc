// `amphora serve`: becomes the daemon, in the foreground or, with --background, in a child whose
// start the command waits for.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "cli/commands/command.h"
#include "cli/daemon/daemon.h"
#include "meta/base/failpoint.h"
#include "meta/base/log.h"

namespace amphora::cli {
namespace {

struct ServeOptions {
  std::optional<std::string> config_file;
  FlagValues flags;
  bool background = false;
  bool check_only = false;
};

// Every connection, open file and blob takes a descriptor; the usual soft limit of 1,024 is there
// for select(2), which nothing here uses.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    Log(LogLevel::kWarning,
        std::string("the limit of descriptors can't be raised: ") + std::strerror(errno));
  }
}

// What asks for a failpoint that never strikes would take its absence for a proof.
Outcome<void> ArmFailpoints() {
  if (!kHasFailpoints && std::getenv("AMPHORA_FAILPOINTS") != nullptr) {
    return UsageError(
        "AMPHORA_FAILPOINTS: this build has no failpoints; one by `cmake --preset dev` has them");
  }
  if (const std::string refused = ArmFailpointsFromEnvironment(); !refused.empty()) {
    return UsageError("AMPHORA_FAILPOINTS: '" + refused + "' can't be understood");
  }
  return {};
}

// Starts, tells `ready` the outcome, serves until told to stop.
template <typename Ready>
Outcome<ExitCode> Serve(const Config& config, Ready&& ready) {
  BlockSignals();
  SetUpLog({config.log_level, config.log_file});
  if (auto armed = ArmFailpoints(); !armed) return std::unexpected(armed.error());
  RaiseDescriptorLimit();
  Outcome<std::unique_ptr<Daemon>> daemon = Daemon::Start(config);
  if (!daemon) return std::unexpected(daemon.error());
  ready((*daemon)->ReadyLine());
  (*daemon)->Run();
  return ExitCode::kDone;
}

// The child's word to the waiting parent: one byte (the exit code), then one line.
void Tell(int pipe, ExitCode code, const std::string& line) {
  std::string message(1, static_cast<char>(code));
  message += line;
  std::size_t sent = 0;
  while (sent < message.size()) {
    const ssize_t n = write(pipe, message.data() + sent, message.size() - sent);
    if (n < 0 && errno != EINTR) break;
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
  close(pipe);
}

Outcome<ExitCode> AwaitChild(int pipe) {
  std::string message;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t n = read(pipe, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    message.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(pipe);
  if (message.empty()) return Fail("the daemon ended before it was ready; its log says why");
  const auto code = static_cast<ExitCode>(message.front());
  message.erase(0, 1);
  if (code != ExitCode::kDone) return Fail(message, code);
  Print(message);
  return ExitCode::kDone;
}

// Away from the terminal: what is still printed goes to the log file.
Outcome<void> DetachFromTerminal(const Config& config) {
  setsid();
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(config.log_file).parent_path(),
                                      ignored);
  const int log = open(config.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return Fail("log file " + config.log_file + ": " + std::strerror(errno));
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  close(log);
  if (nothing >= 0) close(nothing);
  return {};
}

Outcome<ExitCode> ServeInBackground(Config config) {
  if (config.log_file.empty()) config.log_file = DefaultLogFile(std::getenv);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Fail(std::string("no pipe: ") + std::strerror(errno));
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return Fail(std::string("no new process: ") + std::strerror(errno));
  if (child > 0) {
    close(ends[1]);
    return AwaitChild(ends[0]);
  }
  close(ends[0]);
  bool told = false;
  Outcome<ExitCode> outcome = ExitCode::kDone;
  if (auto detached = DetachFromTerminal(config); !detached) {
    outcome = std::unexpected(detached.error());
  } else {
    outcome = Serve(config, [&](const std::string& line) {
      Log(LogLevel::kInfo, line);
      Tell(ends[1], ExitCode::kDone, line);
      told = true;
    });
  }
  if (!outcome && !told) Tell(ends[1], outcome.error().code, outcome.error().text);
  return outcome;
}

Outcome<ExitCode> Run(const ServeOptions& options) {
  const Outcome<Config> config = LoadConfig({options.config_file, options.flags, std::getenv});
  if (!config) return std::unexpected(config.error());
  if (auto checked = CheckConfig(*config); !checked) return std::unexpected(checked.error());
  if (options.check_only) {
    Print("amphora: the configuration is valid" +
          (config->file.empty() ? "" : ": " + config->file));
    return ExitCode::kDone;
  }
  if (options.background) return ServeInBackground(*config);
  return Serve(*config, [](const std::string& line) {
    Print(line);
    std::fflush(stdout);
  });
}

bool IsList(std::string_view flag) { return flag == "--domain" || flag == "--trusted-proxy"; }

}  // namespace

void AddServe(Program& program) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command =
      AddCommand(program.app, "serve", "Open the store, serve S3 and mounts, until SIGTERM",
                 "amphora serve --background --data ~/store --s3 127.0.0.1:9878");
  command
      ->add_option_function<std::string>(
          "--config", [options](const std::string& value) { options->config_file = value; },
          "A TOML file of settings; flags and AMPHORA_* variables go before it")
      ->type_name("FILE");
  command->add_flag("--background", options->background,
                    "Return when the daemon serves; it logs to --log-file");
  command->add_flag("--check-config", options->check_only,
                    "Say whether all settings can be used, and start nothing");
  for (const Setting& setting : Settings()) {
    command
        ->add_option_function<std::vector<std::string>>(
            setting.flag,
            [options, flag = setting.flag](const std::vector<std::string>& values) {
              std::string& joined = options->flags[flag];
              for (const std::string& value : values) {
                if (!joined.empty()) joined.push_back(',');
                joined += value;
              }
            },
            std::string(setting.help) + "; " + setting.environment + ", " + setting.key)
        ->type_name(setting.value_name)
        ->expected(1)
        ->multi_option_policy(IsList(setting.flag) ? CLI::MultiOptionPolicy::TakeAll
                                                   : CLI::MultiOptionPolicy::Throw);
  }
  command->callback([options, &program] { program.action = [options] { return Run(*options); }; });
}

}  // namespace amphora::cli
