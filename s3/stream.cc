#include "s3/stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "s3/tls_context.h"

namespace amphora::s3 {
namespace {

using boost::system::error_code;

constexpr auto kTry = asio::as_tuple(kUseTask);
constexpr unsigned char kHandshakeRecord = 22;

}  // namespace

struct Stream::Encrypted {
  Encrypted(Socket& socket, TlsContext& tls) : stream(socket, tls.context) {}
  asio::ssl::stream<Socket&> stream;
};

Stream::Stream(Socket socket, std::shared_ptr<TlsContext> tls)
    : socket_(std::move(socket)), tls_(std::move(tls)) {
  if (tls_ != nullptr) encrypted_ = std::make_unique<Encrypted>(socket_, *tls_);
}

Stream::~Stream() = default;

Task<Stream::Moved> Stream::ReadSome(asio::mutable_buffer buffer) {
  if (encrypted_ != nullptr) return encrypted_->stream.async_read_some(buffer, kTry);
  return socket_.async_read_some(buffer, kTry);
}

Task<Stream::Moved> Stream::WriteSome(const Pieces& pieces) {
  if (encrypted_ != nullptr) return encrypted_->stream.async_write_some(pieces, kTry);
  return socket_.async_write_some(pieces, kTry);
}

Task<bool> Stream::BeginsTls() {
  const auto [error] = co_await socket_.async_wait(Socket::wait_read, kTry);
  if (error) co_return false;
  unsigned char first = 0;
  error_code failed;
  const std::size_t seen = socket_.receive(asio::buffer(&first, 1), Socket::message_peek, failed);
  co_return !failed && seen == 1 && first == kHandshakeRecord;
}

Task<Stream::Done> Stream::Handshake() {
  return encrypted_->stream.async_handshake(asio::ssl::stream_base::server, kTry);
}

void Stream::Downgrade() { encrypted_.reset(); }

Task<void> Stream::SayEnd() {
  if (encrypted_ == nullptr) co_return;
  [[maybe_unused]] const auto [ignored] = co_await encrypted_->stream.async_shutdown(kTry);
}

}  // namespace amphora::s3
