// The S3 endpoint: listens, serves until stopped. Thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "fs/engine.h"
#include "meta/base/result.h"

namespace amphora::s3 {

enum class AuthMode : std::uint8_t {
  kOpen,  // any access key or none; listens on loopback only unless told otherwise
  kKeys,  // AWS Signature Version 4 with the keys of fs/credentials.h
};

struct ServerOptions {
  // "HOST:PORT" or "[ADDRESS]:PORT"; port 0 takes a free one. "localhost" is 127.0.0.1 and, where
  // the machine has IPv6, ::1 as well.
  std::string listen = "localhost:9878";
  AuthMode auth = AuthMode::kOpen;
  bool allow_open_beyond_loopback = false;
  // For virtual-host-style addresses, and Host names allowed in open mode. "localhost" is always
  // one.
  std::vector<std::string> domains = {};
  // PEM files of a certificate with its chain and of its key; both empty: plain HTTP.
  std::string tls_certificate_file = {};
  std::string tls_key_file = {};
  // Addresses and networks ("10.0.0.0/8") whose X-Forwarded-* headers are believed.
  std::vector<std::string> trusted_proxies = {};
  std::string region = "us-east-1";
  unsigned threads = 0;  // network threads; 0: one per CPU
  // Who owns what S3 makes when no access key says so.
  std::uint32_t default_uid = 0;
  std::uint32_t default_gid = 0;
  std::string default_owner = "root";
  std::string version = {};  // of the program, for the metrics
  // How long a connection may wait for its next request, a request for the end of its header, a
  // body or an answer for its next byte to move; then it is cut. Milliseconds.
  std::uint32_t idle_timeout_ms = 65'000;
  std::uint32_t header_timeout_ms = 10'000;
  std::uint32_t transfer_timeout_ms = 30'000;
};

// What Server::Start would refuse before it opens anything: kInvalidArgument, as there.
Status CheckOptions(const ServerOptions& options);

class Server {
 public:
  // kInvalidArgument: `listen` can't be parsed, or is not loopback in open mode; what
  // CheckTlsAndProxies finds. kBusy: the port is taken.
  static Result<std::unique_ptr<Server>> Start(fs::Engine& engine, const ServerOptions& options);
  // Answers 503 to what begins now, waits up to 10 s for the requests in progress, then stops
  // listening and cuts every connection.
  virtual void Drain() = 0;
  // Reads certificate and key again, for new connections; those that are open go on with the old
  // ones. On failure a sentence that names the file, and everything stays as it was.
  virtual std::expected<void, std::string> ReloadTls() = 0;
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  virtual std::string url() const = 0;  // "http://localhost:9878"
};

// What is wrong with the TLS files or the networks of `options`, as a sentence that names it.
std::expected<void, std::string> CheckTlsAndProxies(const ServerOptions& options);

}  // namespace amphora::s3
