// One coroutine a connection: read a header, answer, read the next. Every wait for the client has a
// deadline; a slow client holds a socket and this coroutine's frame, never a thread. Memory: an
// input buffer of at most a header block, and during a request one piece of a body (limits.h).
//
// The hard parts, by number:
//  1. A body's bytes come from what followed the header in the input buffer, then straight from the
//     socket; only "Transfer-Encoding: chunked" goes through Beast's parser.
//  2. An answer given before the body was read: the rest is discarded when it is small and on its
//     way, else the answer says "close" and the connection ends gently (a plain close with unread
//     input would reset it and take the answer away from the client).
//  3. A cut shuts the socket down and leaves its descriptor open until the coroutine ends: a pool
//     thread may be in sendfile(2) on it, and a descriptor that was closed and given out again may
//     be a blob.
//  4. TLS is the stream's affair but for two things: its handshake comes first, and what goes
//     through it can't be sent with sendfile(2).
//  5. The first piece of an object is read before the head is sent, so that a failing disk still
//     gives an error and not a cut answer.
#include "s3/session.h"

#include <sys/sendfile.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <exception>
#include <vector>

#include "meta/base/clock.h"
#include "meta/base/log.h"
#include "meta/base/log_limit.h"
#include "meta/base/metrics.h"
#include "s3/dispatch.h"
#include "s3/http_date.h"
#include "s3/limits.h"
#include "s3/request_id.h"
#include "s3/stream.h"

namespace amphora::s3 {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto kTry = asio::as_tuple(kUseTask);
constexpr std::size_t kMaxInputBytes = kMaxUriBytes + kMaxHeaderBytes + 1024;
constexpr std::size_t kSendfileBytes = 1 << 20;
constexpr std::uint32_t kLingerMs = 2000;
constexpr std::size_t kKeptPieceBytes = 16 << 10;  // of a connection between its requests

// Counts a request from its header to the end of its answer.
class InFlight {
 public:
  explicit InFlight(std::atomic<std::size_t>& count) : count_(count) { count_.fetch_add(1); }
  ~InFlight() { count_.fetch_sub(1); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  std::atomic<std::size_t>& count_;
};

class Session final : public Wire, public Connection {
 public:
  Session(Socket socket, Worker& worker, Service& service)
      : stream_(std::move(socket), service.tls.Current()),
        worker_(worker),
        service_(service),
        position_(worker.Add(this)),
        input_(kMaxInputBytes) {
    error_code error;
    const auto peer = stream_.socket().remote_endpoint(error);
    if (!error) peer_ = peer.address().to_string();
  }
  ~Session() override { worker_.Remove(position_); }

  Task<void> Run();

  void Cut() override {
    cut_ = true;
    error_code ignored;
    stream_.socket().shutdown(Socket::shutdown_both, ignored);
    stream_.socket().cancel(ignored);
  }

  Task<Outcome<std::size_t>> ReadBody(std::span<std::byte> buffer) override;
  std::optional<std::uint64_t> wire_length() const override;
  bool has_length_header() const override;

 private:
  enum class Head { kRequest, kOver, kRefused };

  Task<bool> StartTls();
  Task<Head> ReadHead();
  Outcome<void> FeedParser();
  Task<bool> ServeRequest();
  Task<bool> SendContinue();
  Task<Outcome<std::size_t>> ReadChunked(std::span<std::byte> buffer);
  std::size_t TakeInput(std::span<std::byte> buffer);
  Outcome<RawRequest> TakeRequest();

  // Whether the connection can carry another request after `response`.
  bool StaysOpen(const Response& response) const;
  void WriteHead(const Response& response, bool keep_open);
  Task<bool> Send(Response response, bool with_body);
  Task<bool> SendObject(Response& response);
  Task<bool> SendFiles(Response& response);
  Task<bool> SendFile(int file, std::uint64_t offset, std::uint64_t length);
  Task<bool> SendPieces(fs::ObjectReader& reader, std::uint64_t offset, std::uint64_t length);
  Task<bool> WriteAll(std::string_view first, std::span<const std::byte> second);
  Task<bool> DiscardBody();
  Task<void> CloseGently();

  Stream stream_;
  Worker& worker_;
  Service& service_;
  std::list<Connection*>::iterator position_;
  std::string peer_;
  beast::flat_buffer input_;
  std::optional<http::request_parser<http::buffer_body>> parser_;
  std::uint64_t body_left_ = 0;  // of Content-Length
  bool chunked_ = false;
  bool expects_continue_ = false;
  bool keep_open_ = true;
  bool cut_ = false;
  RequestId request_id_;
  std::string head_;
  std::vector<std::byte> piece_;
};

// The handshake. A client that speaks plain HTTP here is told so in plain HTTP.
Task<bool> Session::StartTls() {
  SetDeadline(service_.options.header_timeout_ms);
  request_id_ = NextRequestId();
  if (!co_await stream_.BeginsTls()) {
    ClearDeadline();
    if (cut_) co_return false;
    stream_.Downgrade();
    const Failure failure(S3Code::kBadRequest,
                          "This port speaks TLS: use https:// in the address, not http://.");
    keep_open_ = false;
    co_await Send(Refuse(failure, request_id_.view()), true);
    co_await CloseGently();
    co_return false;
  }
  const auto [error] = co_await stream_.Handshake();
  ClearDeadline();
  if (error && LogEnabled(LogLevel::kDebug)) {
    std::string line = "s3 tls handshake failed";
    AppendField(line, "cause", error.message());
    Log(LogLevel::kDebug, line);
  }
  co_return !error;
}

Task<void> Session::Run() {
  if (stream_.encrypted()) {
    if (!co_await StartTls()) co_return;
  }
  while (keep_open_) {
    const Head head = co_await ReadHead();
    if (head == Head::kOver) co_return;
    if (head == Head::kRefused) break;
    const InFlight counted(service_.in_flight);
    if (!co_await ServeRequest()) break;
  }
  if (!cut_) co_await CloseGently();
}

// Lets the parser look at what has come. kBadRequest, kHeadersTooLarge.
Outcome<void> Session::FeedParser() {
  error_code error;
  const std::size_t used = parser_->put(input_.data(), error);
  input_.consume(used);
  if (!error || error == http::error::need_more) return {};
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Fail(S3Code::kHeadersTooLarge);
  }
  Failure failure(S3Code::kBadRequest);
  failure.cause = error.message();
  return std::unexpected(std::move(failure));
}

Task<Session::Head> Session::ReadHead() {
  parser_.emplace();
  parser_->header_limit(kMaxInputBytes);
  parser_->body_limit(boost::none);
  request_id_ = NextRequestId();
  if (piece_.size() > kKeptPieceBytes) piece_ = {};
  set_idle(input_.size() == 0);
  SetDeadline(idle() ? service_.options.idle_timeout_ms : service_.options.header_timeout_ms);
  for (;;) {
    if (input_.size() > 0) {
      if (idle()) {
        set_idle(false);
        SetDeadline(service_.options.header_timeout_ms);
      }
      auto fed = FeedParser();
      if (fed && !parser_->is_header_done() && input_.size() >= kMaxInputBytes) {
        fed = Fail(S3Code::kHeadersTooLarge);
      }
      if (!fed) {
        co_await Send(Refuse(fed.error(), request_id_.view()), true);
        co_return Head::kRefused;
      }
      if (parser_->is_header_done()) break;
    }
    const std::size_t room = std::min(kInputBytes, kMaxInputBytes - input_.size());
    const auto [error, bytes] = co_await stream_.ReadSome(input_.prepare(room));
    if (error) co_return Head::kOver;
    input_.commit(bytes);
  }
  ClearDeadline();
  co_return Head::kRequest;
}

// Reads what decides about framing and the connection. (RFC 9112 sections 6 and 9)
Outcome<RawRequest> Session::TakeRequest() {
  const auto& message = parser_->get();
  keep_open_ = message.keep_alive();
  chunked_ = parser_->chunked();
  body_left_ = parser_->content_length().value_or(0);
  RawRequest raw;
  raw.peer = peer_;
  raw.encrypted = stream_.encrypted();
  raw.method = message.method_string();
  raw.target = message.target();
  raw.headers.reserve(16);
  unsigned hosts = 0;
  for (const auto& field : message) {
    const std::string_view name = field.name_string();
    raw.headers.push_back({name, field.value()});
    if (field.name() == http::field::host) ++hosts;
  }
  expects_continue_ =
      message.version() >= 11 &&
      EqualsIgnoreCase(std::string_view(message[http::field::expect]), "100-continue");
  if (hosts > 1 || (hosts == 0 && message.version() >= 11)) {
    return Fail(S3Code::kInvalidRequest, "A request has one Host header.");
  }
  if (message.find(http::field::transfer_encoding) != message.end() && !chunked_) {
    return std::unexpected(Failure(S3Code::kNotImplemented).With("Header", "Transfer-Encoding"));
  }
  return raw;
}

// One request that has a header. False: the connection is over.
Task<bool> Session::ServeRequest() {
  auto raw = TakeRequest();
  auto request = raw ? Request::Parse(std::move(*raw), service_.options.domains)
                     : Outcome<Request>(std::unexpected(raw.error()));
  if (!request) {
    const bool head_only = parser_->get().method() == http::verb::head;
    co_await Send(Refuse(request.error(), request_id_.view()), !head_only);
    co_return false;
  }
  const bool with_body = request->method() != Method::kHead;
  std::optional<Response> response;
  {
    Body body(*this);
    response.emplace(co_await Answer(service_, *request, body, request_id_.view()));
  }
  if (cut_) co_return false;
  if (!StaysOpen(*response)) keep_open_ = false;
  if (!co_await Send(std::move(*response), with_body)) co_return false;
  // Not one expression: GCC 12 runs a co_await behind "||" whatever stands before it.
  if (!keep_open_) co_return false;
  co_return co_await DiscardBody();
}

std::optional<std::uint64_t> Session::wire_length() const {
  if (chunked_) return std::nullopt;
  return parser_->content_length().value_or(0);
}

bool Session::has_length_header() const { return parser_->content_length().has_value(); }

// Moves what is already here of the body.
std::size_t Session::TakeInput(std::span<std::byte> buffer) {
  const std::size_t bytes =
      asio::buffer_copy(asio::buffer(buffer.data(), buffer.size()), input_.data());
  input_.consume(bytes);
  return bytes;
}

Task<bool> Session::SendContinue() {
  if (!expects_continue_) co_return true;
  expects_continue_ = false;
  if (input_.size() > 0) co_return true;  // the client did not wait
  co_return co_await WriteAll("HTTP/1.1 100 Continue\r\n\r\n", {});
}

Task<Outcome<std::size_t>> Session::ReadBody(std::span<std::byte> buffer) {
  if (!co_await SendContinue()) co_return Fail(S3Code::kIncompleteBody);
  if (chunked_) co_return co_await ReadChunked(buffer);
  if (body_left_ == 0) co_return std::size_t{0};
  buffer = buffer.first(std::min<std::uint64_t>(buffer.size(), body_left_));
  std::size_t bytes = TakeInput(buffer);
  if (bytes == 0) {
    SetDeadline(service_.options.transfer_timeout_ms);
    error_code error;
    std::tie(error, bytes) = co_await stream_.ReadSome(asio::buffer(buffer.data(), buffer.size()));
    ClearDeadline();
    if (error) co_return Fail(cut_ ? S3Code::kRequestTimeout : S3Code::kIncompleteBody);
  }
  body_left_ -= bytes;
  Count(Counter::kS3BytesIn, bytes);
  co_return bytes;
}

Task<Outcome<std::size_t>> Session::ReadChunked(std::span<std::byte> buffer) {
  auto& target = parser_->get().body();
  for (;;) {
    if (parser_->is_done()) co_return std::size_t{0};
    target.data = buffer.data();
    target.size = buffer.size();
    target.more = true;
    error_code error;
    const std::size_t used = parser_->put(input_.data(), error);
    input_.consume(used);
    const std::size_t bytes = buffer.size() - target.size;
    if (error && error != http::error::need_more && error != http::error::need_buffer) {
      co_return Fail(S3Code::kIncompleteBody, "The chunked transfer coding can't be read.");
    }
    if (bytes > 0) {
      Count(Counter::kS3BytesIn, bytes);
      co_return bytes;
    }
    if (used > 0) continue;
    if (input_.size() >= kMaxInputBytes) co_return Fail(S3Code::kIncompleteBody);
    SetDeadline(service_.options.transfer_timeout_ms);
    const std::size_t room = std::min(kInputBytes, kMaxInputBytes - input_.size());
    const auto [failed, got] = co_await stream_.ReadSome(input_.prepare(room));
    ClearDeadline();
    if (failed) co_return Fail(cut_ ? S3Code::kRequestTimeout : S3Code::kIncompleteBody);
    input_.commit(got);
  }
}

bool Session::StaysOpen(const Response& response) const {
  if (!keep_open_ || response.close_connection()) return false;
  if (service_.draining.load(std::memory_order_relaxed)) return false;
  if (chunked_) return parser_->is_done();
  if (body_left_ == 0) return true;
  return !expects_continue_ && body_left_ <= kMaxDiscardBytes;
}

void Session::WriteHead(const Response& response, bool keep_open) {
  head_.clear();
  head_.append("HTTP/1.1 ").append(std::to_string(response.status())).append(" ");
  head_.append(ReasonPhrase(response.status())).append("\r\nServer: Amphora\r\nDate: ");
  head_.append(HttpDateNow()).append("\r\nx-amz-request-id: ").append(request_id_.view());
  head_.append("\r\nx-amz-id-2: ").append(request_id_.host_view()).append("\r\n");
  head_.append(response.header_lines());
  if (const auto length = response.content_length()) {
    head_.append("Content-Length: ").append(std::to_string(*length)).append("\r\n");
  }
  if (!keep_open) head_.append("Connection: close\r\n");
  head_.append("\r\n");
}

Task<bool> Session::Send(Response response, bool with_body) {
  if (response.close_connection()) keep_open_ = false;
  if (with_body && response.reader() != nullptr) co_return co_await SendObject(response);
  WriteHead(response, keep_open_);
  const auto body = std::as_bytes(std::span(response.body()));
  if (with_body) Count(Counter::kS3BytesOut, body.size());
  co_return co_await WriteAll(head_, with_body ? body : std::span<const std::byte>());
}

Task<bool> Session::SendObject(Response& response) {
  fs::ObjectReader& reader = *response.reader();
  const std::uint64_t offset = response.object_offset();
  const std::uint64_t length = response.content_length().value_or(0);
  if (length > 0 && reader.in_files() && !stream_.encrypted()) {
    co_return co_await SendFiles(response);
  }
  const std::size_t piece_bytes = std::min<std::uint64_t>(length, kPieceBytes);
  if (piece_.size() < piece_bytes) piece_.resize(std::max(piece_bytes, kKeptPieceBytes));
  const std::span<std::byte> first = std::span(piece_).first(piece_bytes);
  // Small content is inline and at memory speed; more may wait for the disk.
  Result<std::size_t> got = std::size_t{0};
  if (first.size() <= kSmallBodyBytes) {
    got = reader.Read(offset, first);
  } else {
    auto read = [&] { return reader.Read(offset, first); };
    got = co_await OnPool(service_.pool, read);
  }
  if (!got.ok() || *got != first.size()) {
    Failure failure(S3Code::kInternalError);
    if (!got.ok()) failure.cause = got.error().ToString();
    co_return co_await Send(Refuse(failure, request_id_.view()), true);
  }
  WriteHead(response, keep_open_);
  Count(Counter::kS3BytesOut, first.size());
  if (!co_await WriteAll(head_, first)) co_return false;
  co_return co_await SendPieces(reader, offset + first.size(), length - first.size());
}

// The rest of an object that has no descriptor to send from, read on the pool.
Task<bool> Session::SendPieces(fs::ObjectReader& reader, std::uint64_t offset,
                               std::uint64_t length) {
  while (length > 0) {
    const std::span<std::byte> piece =
        std::span(piece_).first(std::min<std::uint64_t>(length, piece_.size()));
    auto read = [&] { return reader.Read(offset, piece); };
    auto got = co_await OnPool(service_.pool, read);
    if (!got.ok() || *got == 0)
      co_return false;  // the head is sent: a cut is the only honest answer
    Count(Counter::kS3BytesOut, *got);
    if (!co_await WriteAll({}, piece.first(*got))) co_return false;
    offset += *got;
    length -= *got;
  }
  co_return true;
}

// An object that lies in one file, or piece by piece in several.
Task<bool> Session::SendFiles(Response& response) {
  fs::ObjectReader& reader = *response.reader();
  std::uint64_t offset = response.object_offset();
  std::uint64_t length = response.content_length().value_or(0);
  bool head_sent = false;
  while (length > 0) {
    auto find = [&] { return reader.PieceAt(offset); };
    Result<fs::FilePiece> piece = ErrorCode::kBusy;
    if (reader.files_are_open()) {
      piece = find();
    } else {
      piece = co_await OnPool(service_.pool, find);
    }
    if (!piece.ok()) {
      if (head_sent) co_return false;
      Failure failure(S3Code::kInternalError);
      failure.cause = piece.error().ToString();
      co_return co_await Send(Refuse(failure, request_id_.view()), true);
    }
    if (!std::exchange(head_sent, true)) {
      WriteHead(response, keep_open_);
      if (!co_await WriteAll(head_, {})) co_return false;
    }
    const std::uint64_t here = std::min(length, piece->length);
    if (!co_await SendFile(piece->file, piece->offset, here)) co_return false;
    offset += here;
    length -= here;
  }
  co_return true;
}

// sendfile(2) blocks for pages that are not in memory, hence the pool; the socket itself never
// blocks.
Task<bool> Session::SendFile(int file, std::uint64_t offset, std::uint64_t length) {
  const int out = stream_.socket().native_handle();
  auto position = static_cast<off_t>(offset);
  while (length > 0) {
    auto send = [&]() -> Result<std::size_t> {
      const ssize_t sent =
          ::sendfile(out, file, &position, std::min<std::uint64_t>(length, kSendfileBytes));
      if (sent >= 0) return static_cast<std::size_t>(sent);
      if (errno == EAGAIN || errno == EINTR) return ErrorCode::kBusy;
      return Error::FromErrno(errno, "sendfile");
    };
    auto sent = co_await OnPool(service_.pool, send);
    if (cut_ || (!sent.ok() && !sent.Is(ErrorCode::kBusy)) || (sent.ok() && *sent == 0)) {
      co_return false;
    }
    if (sent.ok()) {
      length -= *sent;
      Count(Counter::kS3BytesOut, *sent);
      if (length == 0) break;
    }
    SetDeadline(service_.options.transfer_timeout_ms);
    const auto [error] = co_await stream_.socket().async_wait(Socket::wait_write, kTry);
    ClearDeadline();
    if (error) co_return false;
  }
  co_return true;
}

Task<bool> Session::WriteAll(std::string_view first, std::span<const std::byte> second) {
  while (!first.empty() || !second.empty()) {
    const Stream::Pieces buffers = {asio::buffer(first.data(), first.size()),
                                    asio::buffer(second.data(), second.size())};
    SetDeadline(service_.options.transfer_timeout_ms);
    const auto [error, bytes] = co_await stream_.WriteSome(buffers);
    ClearDeadline();
    if (error) co_return false;
    const std::size_t of_first = std::min(bytes, first.size());
    first.remove_prefix(of_first);
    second = second.subspan(bytes - of_first);
  }
  co_return true;
}

// Reads over the rest of a body that nobody wanted, so that the next request can be found.
Task<bool> Session::DiscardBody() {
  expects_continue_ = false;
  if (!chunked_ && body_left_ == 0) co_return true;
  if (chunked_ && parser_->is_done()) co_return true;
  std::array<std::byte, 4096> nowhere;
  for (;;) {
    auto got = co_await ReadBody(nowhere);
    if (!got) co_return false;
    if (*got == 0) co_return true;
  }
}

// Says that no more comes, and waits a moment for the client to have read it.
Task<void> Session::CloseGently() {
  piece_ = {};
  SetDeadline(kLingerMs);
  co_await stream_.SayEnd();
  if (cut_) co_return;
  error_code error;
  stream_.socket().shutdown(Socket::shutdown_send, error);
  if (error) co_return;
  std::array<std::byte, 4096> nowhere;
  for (std::uint64_t total = 0; total < kMaxLingerBytes;) {
    const auto [failed, bytes] =
        co_await stream_.socket().async_read_some(asio::buffer(nowhere), kTry);
    if (failed) co_return;
    total += bytes;
  }
}

}  // namespace

Task<void> ServeConnection(Socket socket, Worker& worker, Service& service) {
  try {
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.non_blocking(true, ignored);
    Session session(std::move(socket), worker, service);
    co_await session.Run();
  } catch (const std::exception& problem) {
    std::string line = "s3 connection ended";
    AppendField(line, "cause", problem.what());
    LogLimited(LogLevel::kError, "s3 connection ended", std::move(line));
  }
  service.connections.fetch_sub(1, std::memory_order_release);
  service.connections.notify_all();
}

}  // namespace amphora::s3
