// The body of one request as the operations read it: framing undone, length checked, never held
// whole unless it is small. Pieces come in one buffer of bounded size. One coroutine at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "s3/auth/sigv4.h"
#include "s3/aws_chunked.h"
#include "s3/error.h"
#include "s3/task.h"

namespace amphora::s3 {

// Where a body's bytes come from: the connection.
class Wire {
 public:
  virtual ~Wire() = default;
  // Some bytes of this request's body, 0 at its end. kIncompleteBody when the client stops early,
  // kRequestTimeout when it stalls. The first call tells a client that waits to go on (100
  // Continue).
  virtual Task<Outcome<std::size_t>> ReadBody(std::span<std::byte> buffer) = 0;
  // As Content-Length says; 0 when the request has neither that nor Transfer-Encoding, nothing when
  // only the latter.
  virtual std::optional<std::uint64_t> wire_length() const = 0;
  virtual bool has_length_header() const = 0;
};

class Body {
 public:
  explicit Body(Wire& wire) : wire_(wire) {}

  // What the headers said about the form of the body, once known who sent it. Before the first
  // read.
  void SetForm(const Payload& payload, const std::optional<ChunkSigning>& signing);

  // Bytes of payload to come, if the client said so (the decoded length of aws-chunked bodies).
  std::optional<std::uint64_t> size() const;
  bool has_length_header() const { return wire_.has_length_header(); }

  // The next piece, empty at the end; valid until the next call. At the end everything that the
  // framing promised has been checked.
  Task<Outcome<std::span<const std::byte>>> Next();
  // All of it. kMessageTooLong beyond `limit`, before more than that is read.
  Task<Outcome<std::string>> ReadWhole(std::size_t limit);

  // Of an aws-chunked body, after its end.
  std::vector<std::pair<std::string, std::string>> trailers() const;

 private:
  Task<Outcome<std::size_t>> Fill(std::size_t from);
  Outcome<std::size_t> Unframe(std::size_t bytes);

  Wire& wire_;
  Payload payload_;
  std::optional<AwsChunkedDecoder> decoder_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_ = 0;
  bool ended_ = false;
};

}  // namespace amphora::s3
