#include "s3/aws_chunked.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "s3/auth/canonical.h"
#include "s3/auth/hash.h"
#include "s3/auth/headers.h"

namespace amphora::s3 {
namespace {

using namespace auth;  // NOLINT(google-build-using-namespace): our own internals

constexpr ChunkedFailureRow kRows[] = {
    {ChunkedFailure::kMalformed, 400, "IncompleteBody",
     "The aws-chunked framing of the body can't be read"},
    {ChunkedFailure::kSignatureMismatch, 403, "SignatureDoesNotMatch",
     "A chunk's or trailer's signature does not match the one that we calculated"},
    {ChunkedFailure::kTooLarge, 400, "IncompleteBody",
     "The body has more bytes than x-amz-decoded-content-length says"},
    {ChunkedFailure::kTooShort, 400, "IncompleteBody",
     "The body has fewer bytes than x-amz-decoded-content-length says"},
    {ChunkedFailure::kTrailerMismatch, 400, "MalformedTrailerError",
     "The trailer is not the one that x-amz-trailer announces"},
};

constexpr std::string_view kSignatureExtension = "chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";
// Some clients end the body with one empty line too many.
constexpr std::size_t kMaxExtraLineEnds = 2;

using Outcome = std::expected<void, ChunkedFailure>;

std::unexpected<ChunkedFailure> Fail(ChunkedFailure failure) { return std::unexpected(failure); }

struct SizeLine {
  std::uint64_t size = 0;
  std::string signature;
};

// "10000;chunk-signature=..." without its line end.
std::optional<SizeLine> ParseSizeLine(std::string_view line) {
  const std::size_t semicolon = std::min(line.find(';'), line.size());
  SizeLine parsed;
  const char* end = line.data() + semicolon;
  const auto [last, error] = std::from_chars(line.data(), end, parsed.size, 16);
  if (error != std::errc() || last != end) return std::nullopt;
  if (semicolon == line.size()) return parsed;
  const std::string_view extension = line.substr(semicolon + 1);
  if (!extension.starts_with(kSignatureExtension)) return std::nullopt;
  parsed.signature = extension.substr(kSignatureExtension.size());
  return parsed;
}

}  // namespace

const ChunkedFailureRow& RowOf(ChunkedFailure failure) {
  return kRows[static_cast<std::size_t>(failure)];
}

struct AwsChunkedDecoder::State {
  enum class Expect { kSizeLine, kData, kDataEnd, kTrailer, kNothing };

  State(const Payload& payload_in, std::optional<ChunkSigning> signing_in)
      : payload(payload_in), signing(std::move(signing_in)) {
    if (signing) previous_signature = signing->seed_signature;
  }

  const Payload payload;
  const std::optional<ChunkSigning> signing;
  std::string previous_signature;
  auth::RunningSha256 hash;  // of the chunk's data, when signed

  Expect expect = Expect::kSizeLine;
  std::optional<ChunkedFailure> failed;
  std::string line;         // what has come of the line that is being read
  std::uint64_t left = 0;   // bytes of this chunk's data still to come
  std::uint64_t total = 0;  // payload bytes of all chunks announced so far
  std::string signature;    // of this chunk
  std::size_t trailer_bytes = 0;
  std::size_t extra_line_ends = 0;
  std::optional<std::string> trailer_signature;
  std::vector<std::pair<std::string, std::string>> trailers;

  bool HasTrailerPart() const { return payload.mode != PayloadMode::kChunkedSigned; }

  std::expected<Step, ChunkedFailure> Take(std::span<const std::byte> input);
  std::expected<Step, ChunkedFailure> TakeLine(std::span<const std::byte> input);
  Step TakeData(std::span<const std::byte> input);
  std::expected<Step, ChunkedFailure> TakeExtra(std::span<const std::byte> input);

  Outcome EndLine();
  Outcome EndSizeLine(std::string_view text);
  Outcome EndDataEnd(std::string_view text);
  Outcome EndTrailerLine(std::string_view text);
  Outcome EndTrailer();
  Outcome CheckChunkSignature();
  Outcome CheckTrailerSignature();
};

std::expected<AwsChunkedDecoder::Step, ChunkedFailure> AwsChunkedDecoder::State::Take(
    std::span<const std::byte> input) {
  if (input.empty()) return Step{};
  switch (expect) {
    case Expect::kData:
      return TakeData(input);
    case Expect::kNothing:
      return TakeExtra(input);
    case Expect::kSizeLine:
    case Expect::kDataEnd:
    case Expect::kTrailer:
      return TakeLine(input);
  }
  return Fail(ChunkedFailure::kMalformed);
}

AwsChunkedDecoder::Step AwsChunkedDecoder::State::TakeData(std::span<const std::byte> input) {
  const std::span<const std::byte> data =
      input.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, input.size())));
  if (signing) hash.Update(data);
  left -= data.size();
  if (left == 0) expect = Expect::kDataEnd;
  return {.consumed = data.size(), .payload = data};
}

std::expected<AwsChunkedDecoder::Step, ChunkedFailure> AwsChunkedDecoder::State::TakeExtra(
    std::span<const std::byte> input) {
  const bool line_end = input[0] == std::byte{'\r'} || input[0] == std::byte{'\n'};
  if (!line_end || ++extra_line_ends > kMaxExtraLineEnds) return Fail(ChunkedFailure::kMalformed);
  return Step{.consumed = 1};
}

std::expected<AwsChunkedDecoder::Step, ChunkedFailure> AwsChunkedDecoder::State::TakeLine(
    std::span<const std::byte> input) {
  const auto newline = std::ranges::find(input, std::byte{'\n'});
  const bool whole = newline != input.end();
  const auto taken = static_cast<std::size_t>(newline - input.begin()) + (whole ? 1 : 0);
  const std::size_t limit = expect == Expect::kSizeLine  ? kMaxChunkHeaderBytes
                            : expect == Expect::kDataEnd ? 2
                                                         : kMaxTrailerBytes - trailer_bytes;
  if (line.size() + taken > limit) return Fail(ChunkedFailure::kMalformed);
  line.append(reinterpret_cast<const char*>(input.data()), taken);
  if (whole) {
    if (auto ended = EndLine(); !ended) return std::unexpected(ended.error());
    line.clear();
  }
  return Step{.consumed = taken};
}

Outcome AwsChunkedDecoder::State::EndLine() {
  std::string_view text = line;
  text.remove_suffix(1);
  const bool carriage_return = text.ends_with('\r');
  if (carriage_return) text.remove_suffix(1);
  if (expect == Expect::kTrailer) return EndTrailerLine(text);
  if (!carriage_return) return Fail(ChunkedFailure::kMalformed);
  return expect == Expect::kSizeLine ? EndSizeLine(text) : EndDataEnd(text);
}

Outcome AwsChunkedDecoder::State::EndSizeLine(std::string_view text) {
  auto parsed = ParseSizeLine(text);
  if (!parsed) return Fail(ChunkedFailure::kMalformed);
  if (parsed->size > payload.decoded_length - total) return Fail(ChunkedFailure::kTooLarge);
  total += parsed->size;
  left = parsed->size;
  signature = std::move(parsed->signature);
  if (left != 0) {
    expect = Expect::kData;
    return {};
  }
  if (total != payload.decoded_length) return Fail(ChunkedFailure::kTooShort);
  expect = Expect::kTrailer;
  return CheckChunkSignature();
}

Outcome AwsChunkedDecoder::State::EndDataEnd(std::string_view text) {
  if (!text.empty()) return Fail(ChunkedFailure::kMalformed);
  expect = Expect::kSizeLine;
  return CheckChunkSignature();
}

// Signed and unsigned modes alike come here for the empty line at the end.
Outcome AwsChunkedDecoder::State::EndTrailerLine(std::string_view text) {
  trailer_bytes += line.size();
  if (text.empty()) return EndTrailer();
  const std::size_t colon = text.find(':');
  if (!HasTrailerPart() || colon == std::string_view::npos || colon == 0) {
    return Fail(ChunkedFailure::kMalformed);
  }
  std::string name = ToLower(Trim(text.substr(0, colon)));
  std::string value(Trim(text.substr(colon + 1)));
  if (trailer_signature) return Fail(ChunkedFailure::kMalformed);  // it must be the last line
  if (name == kTrailerSignature) {
    trailer_signature = std::move(value);
    return {};
  }
  const bool announced = std::ranges::find(payload.trailers, name) != payload.trailers.end();
  const bool repeated =
      std::ranges::find(trailers, name, &decltype(trailers)::value_type::first) != trailers.end();
  if (!announced || repeated) return Fail(ChunkedFailure::kTrailerMismatch);
  trailers.emplace_back(std::move(name), std::move(value));
  return {};
}

Outcome AwsChunkedDecoder::State::EndTrailer() {
  if (trailers.size() != payload.trailers.size()) return Fail(ChunkedFailure::kTrailerMismatch);
  // An empty line between the trailers and their signature: AWS's own examples can be read so.
  const bool wants_signature = signing && payload.mode == PayloadMode::kChunkedSignedTrailer;
  if (wants_signature && !trailer_signature) {
    if (++extra_line_ends > 1) return Fail(ChunkedFailure::kSignatureMismatch);
    return {};
  }
  extra_line_ends = 0;
  expect = Expect::kNothing;
  return wants_signature ? CheckTrailerSignature() : Outcome();
}

Outcome AwsChunkedDecoder::State::CheckChunkSignature() {
  // Unsigned modes have no chunk signatures even when the request itself is signed.
  if (!signing) return {};
  const std::string to_sign =
      ChunkStringToSign({.timestamp = signing->timestamp, .scope = signing->scope},
                        previous_signature, hash.Finish());
  std::string expected = ToHex(HmacSha256(signing->key, to_sign));
  if (!EqualInConstantTime(expected, signature)) return Fail(ChunkedFailure::kSignatureMismatch);
  previous_signature = std::move(expected);
  return {};
}

Outcome AwsChunkedDecoder::State::CheckTrailerSignature() {
  std::string text;
  for (const auto& [name, value] : trailers)
    text.append(name).append(":").append(value).append("\n");
  const std::string to_sign =
      TrailerStringToSign({.timestamp = signing->timestamp, .scope = signing->scope},
                          previous_signature, Sha256Of(AsBytes(text)));
  const std::string expected = ToHex(HmacSha256(signing->key, to_sign));
  if (!EqualInConstantTime(expected, *trailer_signature)) {
    return Fail(ChunkedFailure::kSignatureMismatch);
  }
  return {};
}

AwsChunkedDecoder::AwsChunkedDecoder(const Payload& payload, std::optional<ChunkSigning> signing)
    : state_(std::make_unique<State>(payload, std::move(signing))) {}
AwsChunkedDecoder::~AwsChunkedDecoder() = default;
AwsChunkedDecoder::AwsChunkedDecoder(AwsChunkedDecoder&&) noexcept = default;
AwsChunkedDecoder& AwsChunkedDecoder::operator=(AwsChunkedDecoder&&) noexcept = default;

std::expected<AwsChunkedDecoder::Step, ChunkedFailure> AwsChunkedDecoder::Decode(
    std::span<const std::byte> input) {
  if (state_->failed) return Fail(*state_->failed);
  auto step = state_->Take(input);
  if (!step) state_->failed = step.error();
  return step;
}

Outcome AwsChunkedDecoder::Finish() {
  State& state = *state_;
  if (state.failed) return Fail(*state.failed);
  if (state.expect == State::Expect::kTrailer && state.line.empty()) {
    if (auto ended = state.EndTrailer(); !ended) {
      state.failed = ended.error();
      return ended;
    }
  }
  if (state.expect != State::Expect::kNothing) {
    state.failed = ChunkedFailure::kTooShort;
    return Fail(ChunkedFailure::kTooShort);
  }
  return {};
}

bool AwsChunkedDecoder::done() const {
  return !state_->failed && state_->expect == State::Expect::kNothing;
}

const std::vector<std::pair<std::string, std::string>>& AwsChunkedDecoder::trailers() const {
  return state_->trailers;
}

}  // namespace amphora::s3
