#include "cli/control/client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <exception>

#include "mount/dying.h"

namespace amphora::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Local = asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 16 << 10;
constexpr std::size_t kMaxLineBytes = 64 << 20;

class UnixControlClient final : public ControlClient {
 public:
  explicit UnixControlClient(std::string path) : path_(std::move(path)) {}

  error_code Open() {
    error_code error;
    socket_.connect(Local::endpoint(path_), error);
    if (error) return error;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
      pid_ = credentials.pid;
    }
    return error;
  }

  Outcome<Json> Call(std::string_view method, std::string_view target, const Json& body) override {
    return Stream(method, target, body, [](const Json&) {});
  }

  Outcome<Json> Stream(std::string_view method, std::string_view target, const Json& body,
                       const std::function<void(const Json& line)>& line) override {
    last_code_.clear();
    http::request<http::string_body> request;
    request.method_string(method);
    request.target(target);
    request.version(11);
    request.set(http::field::host, "amphora");
    request.set(http::field::content_type, "application/json");
    request.body() = ToLine(body);
    request.prepare_payload();
    error_code error;
    http::write(socket_, request, error);
    if (error) return Lost(error);
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    http::read_header(socket_, buffer_, parser, error);
    if (error) return Lost(error);
    const bool lines = parser.get()[http::field::content_type] == "application/x-ndjson";
    return lines ? ReadLines(parser, line) : ReadWhole(parser);
  }

  const std::string& last_code() const override { return last_code_; }
  pid_t daemon_pid() const override { return pid_; }

 private:
  using Parser = http::response_parser<http::buffer_body>;

  std::unexpected<Failure> Lost(const error_code& error) {
    return Fail("the daemon at " + path_ + " went away: " + error.message());
  }

  // The next piece of the body; empty at its end.
  Outcome<std::string> ReadPiece(Parser& parser) {
    std::string piece(kReadBytes, '\0');
    error_code error;
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      http::read_some(socket_, buffer_, parser, error);
      if (error == http::error::need_buffer) error = {};
      if (error) return Lost(error);
      const std::size_t got = piece.size() - parser.get().body().size;
      if (got == 0) continue;
      piece.resize(got);
      return piece;
    }
    return std::string();
  }

  Outcome<Json> ReadWhole(Parser& parser) {
    std::string text;
    while (true) {
      Outcome<std::string> piece = ReadPiece(parser);
      if (!piece) return std::unexpected(piece.error());
      if (piece->empty()) break;
      text += *piece;
      if (text.size() > kMaxControlReplyBytes) return Fail("the daemon's answer is too large");
    }
    Json answer = Json::parse(text, nullptr, false);
    if (answer.is_discarded()) return Fail("the daemon at " + path_ + " does not answer in JSON");
    if (answer.is_object() && answer.contains("error")) return Refused(answer["error"]);
    return answer;
  }

  Outcome<Json> ReadLines(Parser& parser, const std::function<void(const Json& line)>& line) {
    std::string pending;
    Json last;
    while (true) {
      Outcome<std::string> piece = ReadPiece(parser);
      if (!piece) return std::unexpected(piece.error());
      if (piece->empty()) break;
      pending += *piece;
      std::size_t start = 0;
      for (std::size_t end; (end = pending.find('\n', start)) != std::string::npos;
           start = end + 1) {
        Json value =
            Json::parse(pending.begin() + static_cast<std::ptrdiff_t>(start),
                        pending.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
        if (!value.is_object()) return Fail("the daemon at " + path_ + " does not answer in JSON");
        if (value.contains("error")) return Refused(value["error"]);
        if (value.contains("result")) {
          last = std::move(value["result"]);
        } else {
          line(value);
        }
      }
      pending.erase(0, start);
      if (pending.size() > kMaxLineBytes) return Fail("the daemon's answer has too long a line");
    }
    if (last.is_null()) return Fail("the daemon at " + path_ + " ended its answer early");
    return last;
  }

  std::unexpected<Failure> Refused(const Json& error) {
    last_code_ = error.value("code", "");
    return std::unexpected(FailureOf(error));
  }

  const std::string path_;
  asio::io_context io_{1};
  Local::socket socket_{io_};
  beast::flat_buffer buffer_;
  std::string last_code_;
  pid_t pid_ = 0;
};

std::unexpected<Failure> NoDaemon(const std::string& socket) {
  return Fail("no daemon answers at " + socket + "; start one with `amphora serve`",
              ExitCode::kNoDaemon);
}

}  // namespace

Outcome<std::unique_ptr<ControlClient>> ControlClient::Connect(const std::string& socket) {
  try {
    auto client = std::make_unique<UnixControlClient>(socket);
    if (const error_code error = client->Open()) {
      if (error == asio::error::access_denied) {
        return Fail("the control socket " + socket + " is not open to this user");
      }
      return NoDaemon(socket);
    }
    // A killed daemon that can't end still takes connections, and never answers.
    if (client->daemon_pid() > 0 && mount::IsDying(client->daemon_pid())) return NoDaemon(socket);
    return client;
  } catch (const std::exception& error) {
    return Fail("control socket " + socket + ": " + error.what());
  }
}

}  // namespace amphora::cli
