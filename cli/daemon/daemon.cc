#include "cli/daemon/daemon.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <utility>

#include "cli/control/server.h"
#include "cli/daemon/routes.h"
#include "cli/proc.h"
#include "cli/users.h"
#include "cli/version.h"
#include "meta/base/clock.h"
#include "meta/base/log.h"
#include "mount/dying.h"

namespace amphora::cli {
namespace {

constexpr int kDyingPatienceMs = 10'000;

sigset_t WaitedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

std::string With(const std::string& text, const std::string& holder) {
  return holder.empty() ? text : text + ": held by " + holder;
}

Failure OpenFailure(const Config& config, const Error& error) {
  const std::string& data = config.data_directory;
  if (error.code() == ErrorCode::kBusy) {
    return {ExitCode::kFailed,
            With("data directory " + data + " is in use by another process", FindLockHolder(data))};
  }
  if (error.code() == ErrorCode::kNewerFormat) {
    const Result<std::uint32_t> format = fs::ReadStoreFormat(data);
    const std::string number = format.ok() ? " " + std::to_string(*format) : "";
    return {ExitCode::kFailed, "data directory " + data +
                                   " was written by a newer release (format" + number +
                                   ", this one reads up to " + std::to_string(fs::kStoreFormat) +
                                   "); nothing was changed"};
  }
  return {ExitCode::kFailed, "data directory " + data + ": " + error.ToString()};
}

Failure ListenFailure(const Config& config, const Error& error) {
  const std::string& listen = config.s3.listen;
  if (error.code() == ErrorCode::kBusy) {
    std::uint16_t port = 0;
    const std::size_t colon = listen.rfind(':');
    std::from_chars(listen.data() + colon + 1, listen.data() + listen.size(), port);
    return {ExitCode::kFailed, With("--s3 " + listen + " is taken", FindPortHolder(port))};
  }
  if (error.code() == ErrorCode::kInvalidArgument) {
    return {ExitCode::kUsage, "--s3 " + listen + ": " + std::string(error.detail())};
  }
  return {ExitCode::kFailed, "--s3 " + listen + ": " + error.ToString()};
}

// A daemon that was killed may still hold the data directory, and not be able to let go of it.
Outcome<void> LetOwnerDie(const std::string& data) {
  const std::optional<pid_t> owner = LockHolder(data);
  if (!owner || !mount::IsDying(*owner)) return {};
  Log(LogLevel::kInfo, "waiting for the killed " + DescribeProcess(*owner) + " to end");
  if (mount::LetDie(*owner, kDyingPatienceMs)) return {};
  return Fail("data directory " + data + ": " + DescribeProcess(*owner) +
              " was killed but does not end");
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = WaitedSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Daemon::Daemon(const Config& config) : config_(config), started_ns_(MonotonicNow()) {}

Outcome<std::unique_ptr<Daemon>> Daemon::Start(const Config& config) {
  if (auto gone = LetOwnerDie(config.data_directory); !gone) return std::unexpected(gone.error());
  if (auto free = CheckSocketFree(config.socket); !free) return std::unexpected(free.error());
  std::unique_ptr<Daemon> daemon(new Daemon(config));
  daemon->stop_event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (daemon->stop_event_ < 0) return Fail(std::string("no event descriptor: ") + strerror(errno));

  fs::EngineOptions options;
  options.data_directory = config.data_directory;
  options.inline_limit = config.inline_limit;
  Result<std::unique_ptr<fs::Engine>> engine = fs::Engine::Open(options);
  if (!engine.ok()) return std::unexpected(OpenFailure(config, engine.error()));
  daemon->engine_ = std::move(*engine);

  s3::ServerOptions s3_options = config.s3;
  s3_options.default_uid = geteuid();
  s3_options.default_gid = getegid();
  s3_options.version = kVersion;
  s3_options.default_owner = UserName(geteuid());
  Result<std::unique_ptr<s3::Server>> server = s3::Server::Start(*daemon->engine_, s3_options);
  if (!server.ok()) return std::unexpected(ListenFailure(config, server.error()));
  daemon->s3_ = std::move(*server);

  daemon->mounts_ = std::make_unique<Mounts>(*daemon->engine_);
  Daemon& parts = *daemon;
  auto control = ControlServer::Start(
      config.socket, [&parts](const ControlRequest& request, const LineSink& lines) {
        return Route(parts, request, lines);
      });
  if (!control) return std::unexpected(control.error());
  daemon->control_ = std::move(*control);
  return daemon;
}

Daemon::~Daemon() {
  control_.reset();
  if (s3_ != nullptr) s3_->Drain();
  mounts_.reset();
  s3_.reset();
  engine_.reset();
  if (stop_event_ >= 0) close(stop_event_);
}

std::string Daemon::ReadyLine() const {
  return "amphora: ready s3=" + s3_->url() + " socket=" + config_.socket;
}

std::uint64_t Daemon::uptime_s() const {
  return static_cast<std::uint64_t>((MonotonicNow() - started_ns_) / 1'000'000'000);
}

void Daemon::RequestStop() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = write(stop_event_, &one, sizeof one);
}

void Daemon::ReloadTls() {
  if (config_.s3.tls_certificate_file.empty()) return;
  if (auto loaded = s3_->ReloadTls(); !loaded) {
    Log(LogLevel::kError, loaded.error() + "; the certificate that was loaded before stays");
    return;
  }
  Log(LogLevel::kInfo, "TLS certificate " + config_.s3.tls_certificate_file + " loaded again");
}

void Daemon::Run() {
  const sigset_t signals = WaitedSignals();
  const int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
  if (signal_fd < 0) {
    Log(LogLevel::kError, std::string("no signal descriptor: ") + std::strerror(errno));
    return;
  }
  while (true) {
    pollfd waits[] = {{signal_fd, POLLIN, 0}, {stop_event_, POLLIN, 0}};
    if (poll(waits, 2, -1) < 0 && errno != EINTR) break;
    if ((waits[1].revents & POLLIN) != 0) break;
    if ((waits[0].revents & POLLIN) == 0) continue;
    signalfd_siginfo info{};
    if (read(signal_fd, &info, sizeof info) != sizeof info) continue;
    if (info.ssi_signo != SIGHUP) break;
    SetUpLog({config_.log_level, config_.log_file});
    ReloadTls();
  }
  close(signal_fd);
  Log(LogLevel::kInfo, "stopping");
}

}  // namespace amphora::cli
