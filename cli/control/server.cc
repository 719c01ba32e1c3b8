// See server.h. A connection's thread drives Beast's asynchronous calls one at a time on an
// io_context of its own (Step): that gives blocking code with a time limit for every step.
#include "cli/control/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>

#include "cli/users.h"
#include "meta/base/log_limit.h"

namespace amphora::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Local = asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t kMaxConnections = 64;
constexpr std::size_t kMaxUnprivileged =
    16;  // of them, so that others cannot lock the operator out
constexpr int kBacklog = 64;

// An owned descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Take()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Take() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

std::optional<Peer> PeerOf(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  Peer peer{credentials.uid, credentials.gid, credentials.pid, UserName(credentials.uid), false};
  peer.privileged = peer.uid == 0 || peer.uid == geteuid();
  return peer;
}

std::vector<std::string> SplitTarget(std::string_view target) {
  std::vector<std::string> segments;
  target = target.substr(0, target.find('?'));
  while (!target.empty()) {
    target.remove_prefix(1);  // the slash
    const std::size_t slash = target.find('/');
    segments.emplace_back(target.substr(0, slash));
    target = slash == std::string_view::npos ? std::string_view() : target.substr(slash);
  }
  return segments;
}

// One client's connection, used by its own thread.
class Connection {
 public:
  Connection(Descriptor socket, Peer peer, const ControlHandler& handler)
      : stream_(io_), peer_(std::move(peer)), handler_(handler) {
    stream_.socket().assign(Local(), socket.Take());
  }

  void Run() {
    bool more = true;
    while (more) more = ServeOne();
  }

 private:
  template <typename Start>
  error_code Step(Start&& start) {
    error_code result;
    stream_.expires_after(kControlTimeout);
    start([&result](error_code error, std::size_t) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  bool ServeOne() {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMaxControlHeaderBytes);
    parser.body_limit(kMaxControlBodyBytes);
    const error_code error =
        Step([&](auto done) { http::async_read(stream_, buffer_, parser, done); });
    if (error == http::error::body_limit || error == http::error::header_limit) {
      SendReply(ErrorReply(413, "TooLarge", "the request is too large"), false);
      return false;
    }
    if (error) return false;
    const auto& message = parser.get();
    ControlRequest request;
    request.peer = peer_;
    request.method = std::string(message.method_string());
    const std::string target(message.target());
    const bool keep = message.keep_alive();
    if (target.empty() || target.front() != '/') {
      return SendReply(ErrorReply(400, "BadRequest", "the request target is not a path"), keep);
    }
    request.path = SplitTarget(target);
    if (!message.body().empty()) {
      request.body = Json::parse(message.body(), nullptr, false);
      if (!request.body.is_object()) {
        return SendReply(ErrorReply(400, "BadRequest", "the body is not a JSON object"), keep);
      }
    }
    return Answer(request, keep);
  }

  bool Answer(const ControlRequest& request, bool keep) {
    bool streaming = false;
    bool alive = true;
    const ControlReply reply = handler_(request, [&](const Json& line) {
      if (!streaming) alive = SendStreamHeader();
      streaming = true;
      if (alive) alive = SendChunk(ToLine(line) + "\n");
      return alive;
    });
    if (!streaming) return SendReply(reply, keep);
    // The answer began as a stream, so its end goes into the last line.
    const Json last = reply.status == 200 ? Json{{"result", reply.body}} : reply.body;
    if (alive) alive = SendChunk(ToLine(last) + "\n");
    if (alive)
      alive = !Step([&](auto done) { asio::async_write(stream_, http::make_chunk_last(), done); });
    return alive && keep;
  }

  bool SendReply(const ControlReply& reply, bool keep) {
    http::response<http::string_body> message{static_cast<http::status>(reply.status), 11};
    message.set(http::field::content_type, "application/json");
    message.keep_alive(keep);
    message.body() = ToLine(reply.body) + "\n";
    message.prepare_payload();
    return !Step([&](auto done) { http::async_write(stream_, message, done); }) && keep;
  }

  bool SendStreamHeader() {
    http::response<http::empty_body> message{http::status::ok, 11};
    message.set(http::field::content_type, "application/x-ndjson");
    message.chunked(true);
    http::response_serializer<http::empty_body> serializer(message);
    return !Step([&](auto done) { http::async_write_header(stream_, serializer, done); });
  }

  bool SendChunk(const std::string& text) {
    return !Step([&](auto done) {
      asio::async_write(stream_, http::make_chunk(asio::const_buffer(text.data(), text.size())),
                        done);
    });
  }

  asio::io_context io_{1};
  beast::basic_stream<Local> stream_;
  beast::flat_buffer buffer_{kMaxControlHeaderBytes + kMaxControlBodyBytes};
  Peer peer_;
  const ControlHandler& handler_;
};

class UnixControlServer final : public ControlServer {
 public:
  UnixControlServer(std::string path, Descriptor listener, Descriptor wake, ControlHandler handler)
      : path_(std::move(path)),
        listener_(std::move(listener)),
        wake_(std::move(wake)),
        handler_(std::move(handler)),
        acceptor_([this] { AcceptLoop(); }) {}

  ~UnixControlServer() override {
    stopping_.store(true);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = write(wake_.get(), &one, sizeof one);
    acceptor_.join();
    unlink(path_.c_str());
    std::unique_lock lock(mutex_);
    // Wakes those that wait for a next request; answers in progress still go out.
    for (const int fd : open_) shutdown(fd, SHUT_RD);
    idle_.wait(lock, [this] { return connections_ == 0; });
  }

 private:
  void AcceptLoop() {
    while (!stopping_.load()) {
      pollfd waits[] = {{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
      if (poll(waits, 2, -1) < 0 && errno != EINTR) return;
      if (stopping_.load()) return;
      if ((waits[0].revents & POLLIN) == 0) continue;
      Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (socket.get() < 0) {
        // Out of descriptors: do not spin on the same waiting client.
        if (errno == EMFILE || errno == ENFILE)
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
        continue;
      }
      Admit(std::move(socket));
    }
  }

  void Admit(Descriptor socket) {
    std::optional<Peer> peer = PeerOf(socket.get());
    if (!peer) return;
    const bool privileged = peer->privileged;
    const int fd = socket.get();
    {
      std::lock_guard lock(mutex_);
      if (connections_ >= kMaxConnections) return;
      if (!privileged && unprivileged_ >= kMaxUnprivileged) return;
      ++connections_;
      if (!privileged) ++unprivileged_;
      open_.insert(fd);
    }
    try {
      std::thread([this, socket = std::move(socket), peer = std::move(*peer)]() mutable {
        Serve(std::move(socket), std::move(peer));
      }).detach();
    } catch (const std::system_error&) {
      Leave(fd, privileged);
    }
  }

  void Serve(Descriptor socket, Peer peer) {
    const int fd = socket.get();
    const bool privileged = peer.privileged;
    // The connection must be closed only after its descriptor left open_: a number may be reused at
    // once.
    std::optional<Connection> connection;
    try {
      connection.emplace(std::move(socket), std::move(peer), handler_);
      connection->Run();
    } catch (const std::exception& error) {
      LogLimited(LogLevel::kError, "control connection failed",
                 std::string("control connection failed: ") + error.what());
    }
    {
      std::lock_guard lock(mutex_);
      open_.erase(fd);
    }
    connection.reset();
    Leave(fd, privileged);
  }

  void Leave(int fd, bool privileged) {
    std::lock_guard lock(mutex_);
    open_.erase(fd);
    --connections_;
    if (!privileged) --unprivileged_;
    idle_.notify_all();
  }

  const std::string path_;
  Descriptor listener_;
  Descriptor wake_;
  const ControlHandler handler_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable idle_;
  std::set<int> open_;            // guarded by mutex_
  std::size_t connections_ = 0;   // guarded by mutex_
  std::size_t unprivileged_ = 0;  // guarded by mutex_
  std::thread acceptor_;          // last: starts when the rest is ready
};

Outcome<Descriptor> Listen(const std::string& path) {
  const auto failed = [&](const char* what) {
    return Fail("control socket " + path + ": " + what + ": " + std::strerror(errno));
  };
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) {
    return Fail("control socket " + path + ": its directory can't be made: " + error.message());
  }
  Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (listener.get() < 0) return failed("no socket");
  const sockaddr_un address = AddressOf(path);
  unlink(path.c_str());  // a dead daemon's: CheckSocketFree has looked
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed("can't be made");
  }
  if (chmod(path.c_str(), 0666) != 0) return failed("can't be opened to local users");
  if (listen(listener.get(), kBacklog) != 0) return failed("can't listen");
  return listener;
}

}  // namespace

Outcome<void> CheckSocketFree(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return Fail("control socket " + path + ": " + std::strerror(errno));
  }
  if (!S_ISSOCK(status.st_mode)) {
    return Fail("control socket " + path + ": something that is no socket is there");
  }
  Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = AddressOf(path);
  const int result =
      connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (result != 0 && errno == ECONNREFUSED) return {};
  if (result != 0 && errno != EAGAIN) {
    return Fail("control socket " + path + ": " + std::strerror(errno));
  }
  const std::optional<Peer> peer = PeerOf(probe.get());
  const std::string who = peer && peer->pid > 0 ? " (pid " + std::to_string(peer->pid) + ")" : "";
  return Fail("a daemon" + who + " already answers at " + path);
}

Outcome<std::unique_ptr<ControlServer>> ControlServer::Start(const std::string& path,
                                                             ControlHandler handler) {
  if (auto free = CheckSocketFree(path); !free) return std::unexpected(free.error());
  Outcome<Descriptor> listener = Listen(path);
  if (!listener) return std::unexpected(listener.error());
  Descriptor wake(eventfd(0, EFD_CLOEXEC));
  if (wake.get() < 0) return Fail(std::string("no event descriptor: ") + std::strerror(errno));
  return std::make_unique<UnixControlServer>(path, std::move(*listener), std::move(wake),
                                             std::move(handler));
}

}  // namespace amphora::cli
