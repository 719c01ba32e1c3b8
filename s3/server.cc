// Listening, the network threads, and the orderly end.
//
// One socket listens and hands each connection to the next network thread in turn. Not one
// listening socket a thread with SO_REUSEPORT: the kernel spreads a dozen connections unevenly over
// two sockets, and a second daemon on the same port would quietly take half of the clients instead
// of failing.
#include "s3/server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <charconv>
#include <future>
#include <vector>

#include "meta/base/clock.h"
#include "meta/base/log.h"
#include "meta/base/log_limit.h"
#include "s3/limits.h"
#include "s3/request.h"
#include "s3/service.h"
#include "s3/session.h"
#include "s3/worker.h"

namespace amphora::s3 {
namespace {

using boost::system::error_code;
using Endpoint = asio::ip::tcp::endpoint;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

constexpr std::string_view kLocalhost = "localhost";
constexpr int kPortAttempts = 16;  // to find one that is free on both loopback addresses

struct Addresses {
  std::string host;   // as it is shown: "localhost", "127.0.0.1", "[::1]"
  Endpoint endpoint;  // must be had
  bool both = false;  // localhost: ::1 as well, if the machine has it
};

// "127.0.0.1:9878", "[::1]:9878", "localhost:9878".
Result<Addresses> ParseListen(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) {
    return Error(ErrorCode::kInvalidArgument, "the S3 address is HOST:PORT");
  }
  const std::string_view port_text = std::string_view(listen).substr(colon + 1);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (port_text.empty() || parsed.ec != std::errc() ||
      parsed.ptr != port_text.data() + port_text.size()) {
    return Error(ErrorCode::kInvalidArgument, "the port of the S3 address is 0 to 65535");
  }
  std::string host = listen.substr(0, colon);
  if (host == kLocalhost) {
    return Addresses{host, Endpoint(asio::ip::address_v4::loopback(), port), true};
  }
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error || address.is_v6() != brackets) {
    return Error(ErrorCode::kInvalidArgument,
                 "the host of the S3 address is an IPv4 address, an IPv6 address in brackets, or "
                 "localhost");
  }
  return Addresses{brackets ? "[" + address.to_string() + "]" : address.to_string(),
                   Endpoint(address, port)};
}

// Where to listen, if the options allow it.
Result<Addresses> AllowedAddresses(const ServerOptions& options) {
  AMPHORA_ASSIGN(const Addresses addresses, ParseListen(options.listen));
  if (options.auth == AuthMode::kOpen && !options.allow_open_beyond_loopback &&
      !addresses.endpoint.address().is_loopback()) {
    return Error(ErrorCode::kInvalidArgument,
                 "without keys (auth open) the S3 endpoint listens on loopback only");
  }
  return addresses;
}

std::chrono::milliseconds SweepInterval(const ServerOptions& options) {
  const auto shortest = std::min(
      {options.idle_timeout_ms, options.header_timeout_ms, options.transfer_timeout_ms, 2000u});
  return std::chrono::milliseconds(std::max(shortest / 4, 5u));
}

error_code TryListen(Acceptor& acceptor, const Endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

Status ToStatus(const error_code& error) {
  if (!error) return Ok();
  if (error == asio::error::address_in_use) {
    return Error(ErrorCode::kBusy, "the S3 port is taken", error.value());
  }
  return Error(ErrorCode::kInvalidArgument, "the S3 address can't be listened on", error.value());
}

Status Listen(Acceptor& acceptor, const Endpoint& endpoint) {
  return ToStatus(TryListen(acceptor, endpoint));
}

// A machine without IPv6, or with it turned off, is served on 127.0.0.1 alone.
bool HasNoIpv6(const error_code& error) {
  return error == asio::error::address_family_not_supported || error.value() == EADDRNOTAVAIL ||
         error == asio::error::no_permission;
}

class RunningServer final : public Server {
 public:
  RunningServer(fs::Engine& engine, const ServerOptions& options);
  ~RunningServer() override;

  Status Begin(const Addresses& addresses);
  void Drain() override;
  std::expected<void, std::string> ReloadTls() override;
  std::uint16_t port() const override { return port_; }
  std::string url() const override;

 private:
  Status ListenOnBoth(const Endpoint& ipv4);
  Task<void> Accept(Acceptor& acceptor);
  void Hand(Socket socket, Worker& worker);
  void CutAll(bool idle_only);
  void AwaitConnections(std::chrono::steady_clock::time_point until);

  Service service_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Acceptor acceptor_;
  Acceptor second_acceptor_;     // ::1 beside 127.0.0.1; may stay closed
  std::size_t next_worker_ = 0;  // of the first worker's thread
  std::string host_;
  std::uint16_t port_ = 0;
  bool started_ = false;
  bool drained_ = false;
};

std::vector<std::unique_ptr<Worker>> MakeWorkers(const ServerOptions& options) {
  const unsigned threads =
      options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned i = 0; i < threads; ++i) {
    workers.push_back(std::make_unique<Worker>(SweepInterval(options)));
  }
  return workers;
}

RunningServer::RunningServer(fs::Engine& engine, const ServerOptions& options)
    : service_(engine, options),
      workers_(MakeWorkers(options)),
      acceptor_(workers_.front()->executor()),
      second_acceptor_(workers_.front()->executor()) {}

RunningServer::~RunningServer() {
  Drain();
  service_.pool.join();
  for (const auto& worker : workers_) worker->Stop();
}

// One port on both addresses. A free one is the kernel's choice for IPv4; somebody may have it on
// IPv6, then the next is tried.
Status RunningServer::ListenOnBoth(const Endpoint& ipv4) {
  for (int attempt = 1;; ++attempt) {
    AMPHORA_TRY(Listen(acceptor_, ipv4));
    const std::uint16_t port = acceptor_.local_endpoint().port();
    const error_code error =
        TryListen(second_acceptor_, Endpoint(asio::ip::address_v6::loopback(), port));
    if (!error) return Ok();
    error_code ignored;
    second_acceptor_.close(ignored);
    if (HasNoIpv6(error)) return Ok();
    acceptor_.close(ignored);
    const bool taken = error == asio::error::address_in_use;
    if (!taken || ipv4.port() != 0 || attempt == kPortAttempts) return ToStatus(error);
  }
}

Status RunningServer::Begin(const Addresses& addresses) {
  if (!service_.options.tls_certificate_file.empty()) {
    if (auto loaded = ReloadTls(); !loaded) {
      Log(LogLevel::kError, loaded.error());
      return Error(ErrorCode::kInvalidArgument, "the TLS certificate or key can't be used");
    }
  }
  AMPHORA_TRY(addresses.both ? ListenOnBoth(addresses.endpoint)
                             : Listen(acceptor_, addresses.endpoint));
  host_ = addresses.host;
  port_ = acceptor_.local_endpoint().port();
  asio::co_spawn(workers_.front()->executor(), Accept(acceptor_), asio::detached);
  if (second_acceptor_.is_open()) {
    asio::co_spawn(workers_.front()->executor(), Accept(second_acceptor_), asio::detached);
  }
  for (const auto& worker : workers_) worker->Start();
  started_ = true;
  return Ok();
}

std::string RunningServer::url() const {
  const bool tls = !service_.options.tls_certificate_file.empty();
  return (tls ? "https://" : "http://") + host_ + ":" + std::to_string(port_);
}

std::expected<void, std::string> RunningServer::ReloadTls() {
  const ServerOptions& options = service_.options;
  if (options.tls_certificate_file.empty()) return {};
  auto loaded = LoadTls(options.tls_certificate_file, options.tls_key_file);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  service_.tls.Replace(std::move(*loaded));
  return {};
}

Task<void> RunningServer::Accept(Acceptor& acceptor) {
  asio::steady_timer pause(workers_.front()->io());
  for (;;) {
    Worker& worker = *workers_[next_worker_++ % workers_.size()];
    auto [error, socket] =
        co_await acceptor.async_accept(worker.executor(), asio::as_tuple(kUseTask));
    if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
    if (error) {
      // Out of descriptors or memory: those that are open go on; try again in a moment.
      std::string line = "s3 accept failed";
      AppendField(line, "cause", error.message());
      LogLimited(LogLevel::kWarning, "s3 accept failed", std::move(line));
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::as_tuple(kUseTask));
      continue;
    }
    Hand(std::move(socket), worker);
  }
}

void RunningServer::Hand(Socket socket, Worker& worker) {
  if (service_.connections.fetch_add(1, std::memory_order_relaxed) >= kMaxConnections) {
    service_.connections.fetch_sub(1, std::memory_order_relaxed);
    LogLimited(LogLevel::kWarning, "s3 connection refused",
               "s3 connection refused: too many are open");
    return;
  }
  asio::co_spawn(worker.executor(), ServeConnection(std::move(socket), worker, service_),
                 asio::detached);
}

void RunningServer::CutAll(bool idle_only) {
  for (const auto& worker : workers_) {
    asio::post(worker->executor(), [&worker = *worker, idle_only] { worker.CutAll(idle_only); });
  }
}

void RunningServer::AwaitConnections(std::chrono::steady_clock::time_point until) {
  while (service_.connections.load(std::memory_order_acquire) > 0 &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void RunningServer::Drain() {
  if (!started_ || std::exchange(drained_, true)) return;
  service_.draining.store(true);
  const auto until = std::chrono::steady_clock::now() + kDrainTime;
  while (service_.in_flight.load() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::promise<void> closed;
  asio::post(workers_.front()->executor(), [this, &closed] {
    error_code ignored;
    acceptor_.close(ignored);
    second_acceptor_.close(ignored);
    closed.set_value();
  });
  closed.get_future().wait();
  CutAll(/*idle_only=*/true);
  AwaitConnections(std::min(until, std::chrono::steady_clock::now() + kGoodbyeTime));
  CutAll(/*idle_only=*/false);
  // What is left waits for the engine only, which answers every ticket; its coroutines must end
  // before their loops do.
  AwaitConnections(std::chrono::steady_clock::time_point::max());
}

}  // namespace

namespace {

// CheckTlsAndProxies came before: a list with a fault trusts nobody.
TrustedProxies ParseTrusted(const ServerOptions& options) {
  std::size_t ignored = 0;
  return TrustedProxies::Parse(options.trusted_proxies, &ignored).value_or(TrustedProxies());
}

}  // namespace

std::expected<void, std::string> CheckTlsAndProxies(const ServerOptions& options) {
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
    return std::unexpected("TLS needs both a certificate and a key, not one of them");
  }
  std::size_t wrong = 0;
  if (!TrustedProxies::Parse(options.trusted_proxies, &wrong)) {
    return std::unexpected("the trusted proxy '" + options.trusted_proxies[wrong] +
                           "' is no address and no network like 10.0.0.0/8");
  }
  if (options.tls_certificate_file.empty()) return {};
  auto loaded = LoadTls(options.tls_certificate_file, options.tls_key_file);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  return {};
}

Service::Service(fs::Engine& engine_of_store, const ServerOptions& server_options)
    : engine(engine_of_store),
      options(server_options),
      verifier(server_options.region),
      lookup([this](std::string_view id) { return engine.credentials().Find(id); }),
      trusted_proxies(ParseTrusted(server_options)),
      pool(kPoolThreads),
      started_ns(MonotonicNow()) {}

Status CheckOptions(const ServerOptions& options) {
  const Result<Addresses> addresses = AllowedAddresses(options);
  return addresses.ok() ? Ok() : Status(addresses.error());
}

Result<std::unique_ptr<Server>> Server::Start(fs::Engine& engine, const ServerOptions& options) {
  AMPHORA_ASSIGN(const Addresses addresses, AllowedAddresses(options));
  ServerOptions own = options;
  for (std::string& domain : own.domains) domain = ToLower(domain);
  if (std::ranges::find(own.domains, kLocalhost) == own.domains.end()) {
    own.domains.emplace_back(kLocalhost);
  }
  auto server = std::make_unique<RunningServer>(engine, own);
  AMPHORA_TRY(server->Begin(addresses));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace amphora::s3
