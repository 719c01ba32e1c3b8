#include "s3/body.h"

#include <algorithm>
#include <cstring>

#include "s3/limits.h"

namespace amphora::s3 {

void Body::SetForm(const Payload& payload, const std::optional<ChunkSigning>& signing) {
  payload_ = payload;
  if (IsChunked(payload.mode)) decoder_.emplace(payload, signing);
}

std::optional<std::uint64_t> Body::size() const {
  if (decoder_) return payload_.decoded_length;
  return wire_.wire_length();
}

std::vector<std::pair<std::string, std::string>> Body::trailers() const {
  return decoder_ ? decoder_->trailers() : std::vector<std::pair<std::string, std::string>>();
}

// Reads until the buffer is at least half full or the body ends: pieces stay large when the network
// delivers small ones.
Task<Outcome<std::size_t>> Body::Fill(std::size_t filled) {
  while (filled < capacity_ / 2 + 1 && !ended_) {
    auto got = co_await wire_.ReadBody(std::span(buffer_.get() + filled, capacity_ - filled));
    if (!got) co_return std::unexpected(std::move(got.error()));
    filled += *got;
    ended_ = *got == 0;
  }
  co_return filled;
}

// Decodes the buffer's first `bytes` in place: payload moves to the front.
Outcome<std::size_t> Body::Unframe(std::size_t bytes) {
  std::size_t payload_bytes = 0;
  std::span<const std::byte> input(buffer_.get(), bytes);
  while (!input.empty()) {
    auto step = decoder_->Decode(input);
    if (!step) return std::unexpected(FromChunked(step.error()));
    if (!step->payload.empty()) {  // else its data() is null, which memmove may not be given
      std::memmove(buffer_.get() + payload_bytes, step->payload.data(), step->payload.size());
    }
    payload_bytes += step->payload.size();
    input = input.subspan(step->consumed);
  }
  if (ended_) {
    if (auto finished = decoder_->Finish(); !finished) {
      return std::unexpected(FromChunked(finished.error()));
    }
  }
  return payload_bytes;
}

Task<Outcome<std::span<const std::byte>>> Body::Next() {
  if (!buffer_) {
    const std::uint64_t length = wire_.wire_length().value_or(kPieceBytes);
    // One byte more than a small body, so that its end is seen without another round.
    capacity_ = static_cast<std::size_t>(std::min<std::uint64_t>(length + 1, kPieceBytes));
    buffer_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
  }
  while (!ended_) {
    auto filled = co_await Fill(0);
    if (!filled) co_return std::unexpected(std::move(filled.error()));
    std::size_t bytes = *filled;
    if (decoder_) {
      auto unframed = Unframe(bytes);
      if (!unframed) co_return std::unexpected(std::move(unframed.error()));
      bytes = *unframed;
    }
    if (bytes > 0) co_return std::span<const std::byte>(buffer_.get(), bytes);
  }
  co_return std::span<const std::byte>();
}

Task<Outcome<std::string>> Body::ReadWhole(std::size_t limit) {
  if (size().value_or(0) > limit) co_return Fail(S3Code::kMessageTooLong);
  std::string whole;
  for (;;) {
    auto piece = co_await Next();
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) co_return whole;
    if (whole.size() + piece->size() > limit) co_return Fail(S3Code::kMessageTooLong);
    whole.append(reinterpret_cast<const char*>(piece->data()), piece->size());
  }
}

}  // namespace amphora::s3
