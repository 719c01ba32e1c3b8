// The bytes of one connection, plain or through TLS: the session reads and writes here and need not
// know which it is. The calls answer what Asio answers; nothing is copied and no coroutine frame is
// added. One coroutine at a time, on the connection's network thread.
#pragma once

#include <array>
#include <memory>
#include <tuple>

#include "s3/task.h"
#include "s3/tls.h"

namespace amphora::s3 {

class Stream {
 public:
  using Moved = std::tuple<boost::system::error_code, std::size_t>;
  using Done = std::tuple<boost::system::error_code>;
  using Pieces = std::array<asio::const_buffer, 2>;

  // `tls` null: plain.
  Stream(Socket socket, std::shared_ptr<TlsContext> tls);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool encrypted() const { return encrypted_ != nullptr; }
  Task<Moved> ReadSome(asio::mutable_buffer buffer);
  Task<Moved> WriteSome(const Pieces& pieces);

  // Waits for the client's first byte: true when it begins a TLS handshake (RFC 8446 section 5.1).
  Task<bool> BeginsTls();
  Task<Done> Handshake();
  // From here on plain: to tell a client in its own words that it should have spoken TLS.
  void Downgrade();
  // TLS's own word that nothing more comes (close_notify), so that no end looks like a cut; waits
  // for the client's. Does nothing on a plain stream.
  Task<void> SayEnd();

  // For sendfile(2), deadlines and cuts.
  Socket& socket() { return socket_; }

 private:
  struct Encrypted;

  Socket socket_;
  std::shared_ptr<TlsContext> tls_;  // lives as long as what was made of it
  std::unique_ptr<Encrypted> encrypted_;
};

}  // namespace amphora::s3
