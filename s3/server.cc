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

// "127.0.0.1:9878", "[::1]:9878", "localhost:9878".
Result<Endpoint> ParseListen(const std::string& listen) {
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
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    return Error(ErrorCode::kInvalidArgument,
                 "the host of the S3 address is an IP address or localhost");
  }
  return Endpoint(address, port);
}

// The address to listen on, if the options allow it.
Result<Endpoint> AllowedEndpoint(const ServerOptions& options) {
  AMPHORA_ASSIGN(const Endpoint endpoint, ParseListen(options.listen));
  if (options.auth == AuthMode::kOpen && !options.allow_open_beyond_loopback &&
      !endpoint.address().is_loopback()) {
    return Error(ErrorCode::kInvalidArgument,
                 "without keys (auth open) the S3 endpoint listens on loopback only");
  }
  return endpoint;
}

std::chrono::milliseconds SweepInterval(const ServerOptions& options) {
  const auto shortest = std::min(
      {options.idle_timeout_ms, options.header_timeout_ms, options.transfer_timeout_ms, 2000u});
  return std::chrono::milliseconds(std::max(shortest / 4, 5u));
}

Status Listen(Acceptor& acceptor, const Endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return Ok();
  if (error == asio::error::address_in_use) {
    return Error(ErrorCode::kBusy, "the S3 port is taken", error.value());
  }
  return Error(ErrorCode::kInvalidArgument, "the S3 address can't be listened on", error.value());
}

class RunningServer final : public Server {
 public:
  RunningServer(fs::Engine& engine, const ServerOptions& options);
  ~RunningServer() override;

  Status Begin(const Endpoint& endpoint);
  void Drain() override;
  std::uint16_t port() const override { return port_; }
  std::string url() const override;

 private:
  Task<void> Accept();
  void Hand(Socket socket, Worker& worker);
  void CutAll(bool idle_only);
  void AwaitConnections(std::chrono::steady_clock::time_point until);

  Service service_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Acceptor acceptor_;
  Endpoint endpoint_;
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
      acceptor_(workers_.front()->executor()) {}

RunningServer::~RunningServer() {
  Drain();
  service_.pool.join();
  for (const auto& worker : workers_) worker->Stop();
}

Status RunningServer::Begin(const Endpoint& endpoint) {
  AMPHORA_TRY(Listen(acceptor_, endpoint));
  endpoint_ = acceptor_.local_endpoint();
  port_ = endpoint_.port();
  asio::co_spawn(workers_.front()->executor(), Accept(), asio::detached);
  for (const auto& worker : workers_) worker->Start();
  started_ = true;
  return Ok();
}

std::string RunningServer::url() const {
  const std::string address = endpoint_.address().to_string();
  return "http://" + (endpoint_.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(port_);
}

Task<void> RunningServer::Accept() {
  asio::steady_timer pause(workers_.front()->io());
  for (std::size_t next = 0;; ++next) {
    Worker& worker = *workers_[next % workers_.size()];
    auto [error, socket] =
        co_await acceptor_.async_accept(worker.executor(), asio::as_tuple(kUseTask));
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
    if (error) {
      // Out of descriptors or memory: those that are open go on; try again in a moment.
      std::string line = "s3 accept failed";
      AppendField(line, "cause", error.message());
      Log(LogLevel::kWarning, line);
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
    Log(LogLevel::kWarning, "s3 connection refused: too many are open");
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

Service::Service(fs::Engine& engine_of_store, const ServerOptions& server_options)
    : engine(engine_of_store),
      options(server_options),
      verifier(server_options.region),
      lookup([this](std::string_view id) { return engine.credentials().Find(id); }),
      pool(kPoolThreads),
      started_ns(MonotonicNow()) {}

Status CheckOptions(const ServerOptions& options) {
  const Result<Endpoint> endpoint = AllowedEndpoint(options);
  return endpoint.ok() ? Ok() : Status(endpoint.error());
}

Result<std::unique_ptr<Server>> Server::Start(fs::Engine& engine, const ServerOptions& options) {
  AMPHORA_ASSIGN(const Endpoint endpoint, AllowedEndpoint(options));
  ServerOptions own = options;
  for (std::string& domain : own.domains) domain = ToLower(domain);
  auto server = std::make_unique<RunningServer>(engine, own);
  AMPHORA_TRY(server->Begin(endpoint));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace amphora::s3
