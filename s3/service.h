// What every request of one server needs. Made by server.cc, outlives every connection.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "fs/engine.h"
#include "s3/auth/sigv4.h"
#include "s3/server.h"
#include "s3/task.h"

namespace amphora::s3 {

struct Service {
  Service(fs::Engine& engine_of_store, const ServerOptions& server_options);

  fs::Engine& engine;
  const ServerOptions options;
  const SigV4Verifier verifier;
  const KeyLookup lookup;
  asio::thread_pool pool;  // where engine calls that may wait for the disk or a lock run
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> connections{0};
};

}  // namespace amphora::s3
