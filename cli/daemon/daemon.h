// The process behind `amphora serve`: one open store, its S3 endpoint, its mounts and its control
// socket, built in that order and ended in the reverse one. Thread-safe after Start.
#pragma once

#include <memory>
#include <string>

#include "cli/config.h"
#include "cli/control/protocol.h"
#include "cli/daemon/mounts.h"
#include "cli/outcome.h"
#include "fs/engine.h"
#include "s3/server.h"

namespace amphora::cli {

class ControlServer;

// Blocks the signals that Run waits for, in this thread and all that it starts. Before any thread.
void BlockSignals();

class Daemon {
 public:
  // Opens everything, or tells what stood in the way and leaves nothing running.
  static Outcome<std::unique_ptr<Daemon>> Start(const Config& config);
  // Drains S3 (bounded), unmounts, closes the store.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // "amphora: ready s3=http://127.0.0.1:9878 socket=/run/amphora/amphora.sock"
  std::string ReadyLine() const;
  // Until SIGTERM, SIGINT or RequestStop. SIGHUP reopens the log file and reads the TLS files
  // again.
  void Run();
  void RequestStop();

  const Config& config() const { return config_; }
  fs::Engine& engine() { return *engine_; }
  const s3::Server& s3() const { return *s3_; }
  Mounts& mounts() { return *mounts_; }
  // Seconds since Start.
  std::uint64_t uptime_s() const;

 private:
  void ReloadTls();
  explicit Daemon(const Config& config);

  const Config config_;
  const std::int64_t started_ns_;
  int stop_event_ = -1;
  std::unique_ptr<fs::Engine> engine_;
  std::unique_ptr<s3::Server> s3_;
  std::unique_ptr<Mounts> mounts_;
  std::unique_ptr<ControlServer> control_;
};

}  // namespace amphora::cli
