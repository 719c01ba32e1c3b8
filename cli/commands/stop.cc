// `amphora stop`: asks the daemon to drain and end, and waits until it has.
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "cli/commands/command.h"

namespace amphora::cli {
namespace {

constexpr int kWaitMs = 120'000;  // S3 drains for up to 10 s, mounts and the store end after it

// True once process `pid` is gone.
bool AwaitEnd(pid_t pid) {
  if (pid <= 0) return false;
  const auto fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return true;
  pollfd wait{fd, POLLIN, 0};
  const bool ended = poll(&wait, 1, kWaitMs) == 1;
  close(fd);
  return ended;
}

Outcome<ExitCode> Run(const ClientOptions& options) {
  auto client = ConnectDaemon(options);
  if (!client) return std::unexpected(client.error());
  const pid_t pid = (*client)->daemon_pid();
  const Outcome<Json> answer = (*client)->Call("POST", "/stop", Json::object());
  if (!answer) return std::unexpected(answer.error());
  client->reset();  // an open connection would hold up the daemon's end
  if (!AwaitEnd(pid)) {
    return Fail("the daemon (pid " + std::to_string(pid) + ") was told to stop but is still there");
  }
  Print("amphora: stopped");
  return ExitCode::kDone;
}

}  // namespace

void AddStop(Program& program) {
  CLI::App* command =
      AddCommand(program.app, "stop", "Stop the daemon: drain S3, unmount, close", "amphora stop");
  auto options = AddClientOptions(command, Printing::kNothing);
  command->callback([options, &program] { program.action = [options] { return Run(*options); }; });
}

}  // namespace amphora::cli
