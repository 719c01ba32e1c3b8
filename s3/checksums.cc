#include "s3/checksums.h"

#include <algorithm>

#include "fs/data/digests.h"

namespace amphora::s3 {
namespace {

using fs::DigestKind;

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

// Takes one checksum that the request names by a header (`by_trailer`: announces for the trailer).
Outcome<void> AddChecksum(Promise& promise, DigestKind kind, bool by_trailer,
                          std::string_view value) {
  if (promise.checksum) {
    return Fail(S3Code::kInvalidRequest,
                "One x-amz-checksum- value protects a request. Several are not allowed.");
  }
  promise.checksum = kind;
  promise.by_trailer = by_trailer;
  if (by_trailer) {
    promise.kinds.push_back(kind);
    return {};
  }
  auto raw = ReadDigest(kind, value);
  if (!raw) return std::unexpected(BadChecksumValue(kind));
  return Expect(promise, kind, std::move(*raw));
}

// x-amz-sdk-checksum-algorithm says which checksum the request has; it must then have it.
Outcome<void> CheckSdkAlgorithm(const Request& request, const Promise& promise) {
  constexpr std::string_view kHeader = "x-amz-sdk-checksum-algorithm";
  const std::string_view said = request.Header(kHeader);
  if (said.empty()) return {};
  const auto kind = KindOfAlgorithm(said);
  if (!kind) return std::unexpected(UnknownAlgorithm());
  if (!promise.checksum) {
    return Fail(S3Code::kInvalidRequest,
                "x-amz-sdk-checksum-algorithm is given, but neither an x-amz-checksum-* nor an "
                "x-amz-trailer header.");
  }
  if (kind != promise.checksum) {
    return Fail(S3Code::kInvalidRequest,
                "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return {};
}

// The one checksum of the request's headers (a name's second field counts too) or announced
// trailers. A trailer that nobody would check is refused: its promise would silently not be kept.
Outcome<void> ReadChecksum(const Request& request, const Payload& payload, Promise& promise) {
  for (const HeaderField& field : request.headers()) {
    const auto kind = KindOfHeader(field.name);
    if (!kind) continue;
    if (auto taken = AddChecksum(promise, *kind, false, field.value); !taken) return taken;
  }
  for (const QueryParameter& hoisted : request.query()) {
    const auto kind = KindOfHeader(hoisted.name);
    if (!kind || kind == promise.checksum) continue;  // the header wins over its presigned twin
    if (auto taken = AddChecksum(promise, *kind, false, hoisted.value); !taken) return taken;
  }
  for (const std::string& trailer : payload.trailers) {
    const auto kind = KindOfHeader(trailer);
    if (!kind && trailer.starts_with(kChecksumPrefix)) {
      return std::unexpected(Failure(S3Code::kNotImplemented).With("Header", "x-amz-trailer"));
    }
    if (!kind) {
      return Fail(S3Code::kInvalidRequest,
                  "The value specified in the x-amz-trailer header is not supported");
    }
    if (auto taken = AddChecksum(promise, *kind, true, {}); !taken) return taken;
  }
  return CheckSdkAlgorithm(request, promise);
}

}  // namespace

Outcome<Promise> ReadPromise(const Request& request, const Payload& payload) {
  auto promise = ReadBodyPromise(request, payload);
  if (!promise) return promise;
  if (auto read = ReadChecksum(request, payload, *promise); !read) {
    return std::unexpected(read.error());
  }
  return promise;
}

Outcome<Promise> ReadBodyPromise(const Request& request, const Payload& payload) {
  Promise promise;
  if (request.HasHeader("Content-MD5")) {
    auto raw = ReadDigest(DigestKind::kMd5, request.Header("Content-MD5"));
    if (!raw) {
      return std::unexpected(
          Failure(S3Code::kInvalidDigest).With("Content-MD5", request.Header("Content-MD5")));
    }
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

Failure UnknownAlgorithm() {
  return Failure(S3Code::kInvalidRequest,
                 "The checksum algorithm is not known. Use one of: " + ChecksumAlgorithmList());
}

Failure DigestFailure(const Promise& promise, std::optional<DigestKind> wrong) {
  // One SHA-256 serves both x-amz-content-sha256 and x-amz-checksum-sha256; the former is checked
  // first.
  if (promise.hashed_payload && wrong.value_or(DigestKind::kSha256) == DigestKind::kSha256) {
    return Failure(S3Code::kContentSha256Mismatch);
  }
  if (wrong && wrong != DigestKind::kMd5) {
    return Failure(S3Code::kBadDigest, "The " + std::string(ChecksumAlgorithm(*wrong)) +
                                           " you specified did not match the calculated checksum.");
  }
  return Failure(S3Code::kBadDigest);
}

std::optional<DigestKind> WrongDigest(const Error& error) {
  if (error.detail() == "md5") return DigestKind::kMd5;
  return KindOfAlgorithm(error.detail());
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
