// aws-chunked bodies. The input: one byte of mode, one that seeds the cutting, two of decoded
// length, then the body. Promises: however the body is cut, it decodes to the same bytes and
// trailers or fails; never more comes out than was announced; nothing that nobody signed passes the
// signature check.
#include <cstdint>
#include <optional>
#include <string>

#include "s3/aws_chunked.h"
#include "tests/fuzz/require.h"

namespace {

using namespace amphora::s3;

struct Decoded {
  std::string payload;
  std::vector<std::pair<std::string, std::string>> trailers;
  bool operator==(const Decoded&) const = default;
};

std::optional<Decoded> Decode(const Payload& payload, const std::optional<ChunkSigning>& signing,
                              std::span<const std::byte> body, std::size_t piece_seed) {
  AwsChunkedDecoder decoder(payload, signing);
  Decoded decoded;
  while (!body.empty()) {
    piece_seed = piece_seed * 25 + 7;
    auto piece = body.first(std::min<std::size_t>(piece_seed % 31 + 1, body.size()));
    body = body.subspan(piece.size());
    while (!piece.empty()) {
      const auto step = decoder.Decode(piece);
      if (!step) {
        FUZZ_REQUIRE(!decoder.done() && !decoder.Finish());
        return std::nullopt;
      }
      FUZZ_REQUIRE(step->consumed > 0 && step->consumed <= piece.size());
      FUZZ_REQUIRE(step->payload.size() <= step->consumed);
      decoded.payload.append(reinterpret_cast<const char*>(step->payload.data()),
                             step->payload.size());
      FUZZ_REQUIRE(decoded.payload.size() <= payload.decoded_length);
      piece = piece.subspan(step->consumed);
    }
  }
  if (!decoder.Finish()) return std::nullopt;
  FUZZ_REQUIRE(decoded.payload.size() == payload.decoded_length);
  decoded.trailers = decoder.trailers();
  FUZZ_REQUIRE(decoded.trailers.size() == payload.trailers.size());
  return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  Payload payload;
  payload.mode =
      static_cast<PayloadMode>(static_cast<int>(PayloadMode::kChunkedSigned) + data[0] % 3);
  payload.decoded_length = data[2] + 256u * data[3];
  if (payload.mode != PayloadMode::kChunkedSigned && data[0] >= 128) {
    payload.trailers = {"x-amz-checksum-crc32"};
  }
  const auto body = std::as_bytes(std::span(data + 4, size - 4));
  const auto cut_small = Decode(payload, std::nullopt, body, data[1] + 1u);
  const auto cut_otherwise = Decode(payload, std::nullopt, body, data[1] * 3u + 100);
  FUZZ_REQUIRE(cut_small == cut_otherwise);
  if (payload.mode != PayloadMode::kChunkedUnsignedTrailer) {
    const ChunkSigning signing{.key = {},
                               .seed_signature = std::string(64, '0'),
                               .timestamp = "20130524T000000Z",
                               .scope = "20130524/us-east-1/s3/aws4_request"};
    FUZZ_REQUIRE(!Decode(payload, signing, body, data[1]));
  }
  return 0;
}
