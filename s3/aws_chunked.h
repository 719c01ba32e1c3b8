// Undoes aws-chunked framing: the body of an upload whose signatures or checksums come with the
// body. (AWS: Signature Calculations, Transferring Payload in Multiple Chunks; and the same with
// trailing headers)
//
//   <hex size>[;chunk-signature=<64 hex>]\r\n <size bytes> \r\n     any number of times
//   0[;chunk-signature=<64 hex>]\r\n
//   [name:value\r\n]... [x-amz-trailer-signature:<64 hex>\r\n]       trailer modes
//   \r\n
//
// Payload comes out as views of the input, nothing is copied. A chunk's signature is known to be
// right only when the chunk has ended: use no byte for good before Finish() succeeded. One thread
// at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "s3/auth/payload.h"
#include "s3/auth/sigv4.h"

namespace amphora::s3 {

inline constexpr std::size_t kMaxChunkHeaderBytes = 8 << 10;  // a size line
inline constexpr std::size_t kMaxTrailerBytes = 16 << 10;     // all trailer lines together

enum class ChunkedFailure : std::uint8_t {
  kMalformed,          // IncompleteBody or InvalidChunkSizeError: the framing can't be read
  kSignatureMismatch,  // of a chunk or of the trailer
  kTooLarge,           // more payload than x-amz-decoded-content-length
  kTooShort,           // less, or the body ended inside of the framing
  kTrailerMismatch,    // a trailer that was not announced, or an announced one that is missing
};

struct ChunkedFailureRow {
  ChunkedFailure failure;
  unsigned http_status;
  std::string_view code;  // S3's error code
  std::string_view message;
};
const ChunkedFailureRow& RowOf(ChunkedFailure failure);

class AwsChunkedDecoder {
 public:
  // `signing` empty: signatures are read over but not checked (open mode, unsigned chunks). It is
  // required by nobody but the caller's policy: Identity::chunk_signing is set when the request
  // needs it.
  AwsChunkedDecoder(const Payload& payload, std::optional<ChunkSigning> signing);
  ~AwsChunkedDecoder();
  AwsChunkedDecoder(AwsChunkedDecoder&&) noexcept;
  AwsChunkedDecoder& operator=(AwsChunkedDecoder&&) noexcept;

  struct Step {
    std::size_t consumed = 0;                 // bytes of the input that are done with
    std::span<const std::byte> payload = {};  // a part of those bytes; may be empty
  };

  // Takes some bytes off the front of `input`. Call again with the rest until all of it is
  // consumed; each call with input consumes at least one byte. After done() every further byte is
  // kMalformed. A failure is final.
  std::expected<Step, ChunkedFailure> Decode(std::span<const std::byte> input);

  // The body has ended: kTooShort when it ended too early. A missing last empty line is forgiven.
  std::expected<void, ChunkedFailure> Finish();

  // The last empty line has been read, and everything was right.
  bool done() const;

  // Lower-case name and value in their order, without x-amz-trailer-signature. Complete after
  // Finish().
  const std::vector<std::pair<std::string, std::string>>& trailers() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace amphora::s3
