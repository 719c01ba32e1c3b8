// What every request of one server needs. Made by server.cc, outlives every connection.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "fs/engine.h"
#include "s3/auth/sigv4.h"
#include "s3/forwarded.h"
#include "s3/request_metrics.h"
#include "s3/server.h"
#include "s3/task.h"
#include "s3/tls.h"

namespace amphora::s3 {

struct Service {
  Service(fs::Engine& engine_of_store, const ServerOptions& server_options);

  fs::Engine& engine;
  const ServerOptions options;
  const SigV4Verifier verifier;
  const KeyLookup lookup;
  const TrustedProxies trusted_proxies;
  TlsKeeper tls;           // empty: plain HTTP
  asio::thread_pool pool;  // where engine calls that may wait for the disk or a lock run
  RequestMetrics metrics;
  const std::int64_t started_ns;          // MonotonicNow()
  std::atomic<bool> draining{false};      // what begins now is told to come later
  std::atomic<std::size_t> in_flight{0};  // requests between their header and their answer's end
  std::atomic<std::size_t> connections{0};
};

}  // namespace amphora::s3
