#include "s3/checksums.h"

#include <algorithm>
#include <array>

#include "fs/data/digests.h"
#include "meta/base/encoding.h"

namespace amphora::s3 {
namespace {

using fs::DigestKind;

struct Row {
  DigestKind kind;
  std::string_view header;
  std::string_view algorithm;  // in x-amz-sdk-checksum-algorithm
};

constexpr std::array<Row, 5> kRows = {{
    {DigestKind::kCrc32, "x-amz-checksum-crc32", "CRC32"},
    {DigestKind::kCrc32c, "x-amz-checksum-crc32c", "CRC32C"},
    {DigestKind::kCrc64Nvme, "x-amz-checksum-crc64nvme", "CRC64NVME"},
    {DigestKind::kSha1, "x-amz-checksum-sha1", "SHA1"},
    {DigestKind::kSha256, "x-amz-checksum-sha256", "SHA256"},
}};

// The raw digest that base64 `text` says; nothing when it is not one of that kind.
std::optional<std::string> ReadDigest(DigestKind kind, std::string_view text) {
  auto raw = FromBase64(text);
  if (!raw || raw->size() != fs::DigestBytes(kind)) return std::nullopt;
  return raw;
}

Failure BadChecksumValue(DigestKind kind) {
  return Failure(S3Code::kInvalidRequest,
                 "Value for " + std::string(ChecksumHeader(kind)) + " header is invalid.");
}

Outcome<void> Expect(Promise& promise, DigestKind kind, std::string raw) {
  std::string& known = promise.expected[kind];
  if (!known.empty() && known != raw) return Fail(S3Code::kBadDigest);
  known = std::move(raw);
  promise.kinds.push_back(kind);
  return {};
}

// The one checksum of the request's headers or announced trailers.
Outcome<void> ReadChecksum(const Request& request, const Payload& payload, Promise& promise) {
  for (const Row& row : kRows) {
    const bool by_header = request.HasHeader(row.header);
    const bool by_trailer =
        std::ranges::find(payload.trailers, row.header) != payload.trailers.end();
    if (!by_header && !by_trailer) continue;
    if (promise.checksum || (by_header && by_trailer)) {
      return Fail(
          S3Code::kInvalidRequest,
          "Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.");
    }
    promise.checksum = row.kind;
    promise.by_trailer = by_trailer;
    if (by_trailer) {
      promise.kinds.push_back(row.kind);
      continue;
    }
    auto raw = ReadDigest(row.kind, request.Header(row.header));
    if (!raw) return std::unexpected(BadChecksumValue(row.kind));
    if (auto taken = Expect(promise, row.kind, std::move(*raw)); !taken) return taken;
  }
  const std::string_view algorithm = request.Header("x-amz-sdk-checksum-algorithm");
  if (!algorithm.empty() && !promise.checksum) {
    return Fail(S3Code::kInvalidRequest,
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
                "x-amz-trailer headers were found.");
  }
  return {};
}

}  // namespace

std::string_view ChecksumHeader(DigestKind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row.header;
  }
  return "x-amz-checksum-md5";
}

Outcome<Promise> ReadPromise(const Request& request, const Payload& payload) {
  Promise promise;
  if (request.HasHeader("Content-MD5")) {
    auto raw = ReadDigest(DigestKind::kMd5, request.Header("Content-MD5"));
    if (!raw) return Fail(S3Code::kInvalidDigest);
    promise.has_md5 = true;
    if (auto taken = Expect(promise, DigestKind::kMd5, std::move(*raw)); !taken) {
      return std::unexpected(taken.error());
    }
  }
  if (payload.mode == PayloadMode::kHash) {
    promise.hashed_payload = true;
    if (auto taken = Expect(promise, DigestKind::kSha256, payload.sha256); !taken) {
      return std::unexpected(taken.error());
    }
  }
  if (auto read = ReadChecksum(request, payload, promise); !read) {
    return std::unexpected(read.error());
  }
  return promise;
}

Outcome<void> TakeTrailer(Promise& promise,
                          std::span<const std::pair<std::string, std::string>> trailers) {
  if (!promise.by_trailer) return {};
  const std::string_view header = ChecksumHeader(*promise.checksum);
  for (const auto& [name, value] : trailers) {
    if (name != header) continue;
    auto raw = ReadDigest(*promise.checksum, value);
    if (!raw) return std::unexpected(BadChecksumValue(*promise.checksum));
    return Expect(promise, *promise.checksum, std::move(*raw));
  }
  return Fail(S3Code::kInvalidRequest, "The announced checksum trailer is missing.");
}

Failure DigestFailure(const Promise& promise, std::optional<DigestKind> wrong) {
  // One SHA-256 serves both x-amz-content-sha256 and x-amz-checksum-sha256; the former is checked
  // first.
  if (promise.hashed_payload && wrong.value_or(DigestKind::kSha256) == DigestKind::kSha256) {
    return Failure(S3Code::kContentSha256Mismatch);
  }
  if (wrong && wrong != DigestKind::kMd5) {
    const std::string name(
        ChecksumHeader(*wrong).substr(std::string_view("x-amz-checksum-").size()));
    return Failure(S3Code::kBadDigest,
                   "The " + name + " you specified did not match the calculated checksum.");
  }
  return Failure(S3Code::kBadDigest);
}

std::optional<DigestKind> WrongDigest(const Error& error) {
  for (const Row& row : kRows) {
    if (row.header.substr(std::string_view("x-amz-checksum-").size()) == error.detail()) {
      return row.kind;
    }
  }
  if (error.detail() == "md5") return DigestKind::kMd5;
  return std::nullopt;
}

Outcome<void> CheckPromise(const Promise& promise, std::string_view whole) {
  fs::DigestSet digests(promise.kinds);
  digests.Update(std::as_bytes(std::span(whole)));
  const fs::Digests computed = digests.Finish();
  for (const DigestKind kind : promise.kinds) {
    if (!promise.expected[kind].empty() && promise.expected[kind] != computed[kind]) {
      return std::unexpected(DigestFailure(promise, kind));
    }
  }
  return {};
}

}  // namespace amphora::s3
