// What a request promises about its body: Content-MD5, x-amz-content-sha256 and one
// x-amz-checksum-*, by header or by trailer. (S3: checking object integrity) Thread-safe: values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/objects.h"
#include "s3/auth/payload.h"
#include "s3/checksum_names.h"
#include "s3/error.h"
#include "s3/request.h"

namespace amphora::s3 {

struct Promise {
  fs::Digests expected;                    // raw values known so far
  std::vector<fs::DigestKind> kinds;       // what must be computed
  std::optional<fs::DigestKind> checksum;  // the one of x-amz-checksum-*: kept with the object
  bool by_trailer = false;                 // its value comes after the body
  bool hashed_payload = false;             // x-amz-content-sha256 says the SHA-256
  bool has_md5 = false;                    // Content-MD5 is there

  // Something was promised that protects the body on its whole way (not only what was signed).
  bool protects() const { return has_md5 || checksum.has_value(); }
};

// kInvalidDigest, kInvalidRequest (a checksum that can't be read, several, an algorithm named that
// is unknown or has no value), kBadDigest (two that contradict each other), kNotImplemented (a
// trailer with a checksum that is none of the five).
Outcome<Promise> ReadPromise(const Request& request, const Payload& payload);

// The same of a request whose x-amz-checksum-* headers are about something else than its body
// (CompleteMultipartUpload): Content-MD5 and x-amz-content-sha256 only.
Outcome<Promise> ReadBodyPromise(const Request& request, const Payload& payload);

// Takes the announced checksum out of the trailers.
Outcome<void> TakeTrailer(Promise& promise,
                          std::span<const std::pair<std::string, std::string>> trailers);

// The failure for the name of an algorithm that is none of the five.
Failure UnknownAlgorithm();

// The failure for a body that is not what was promised. `wrong`: the first kind that differs, when
// it is known.
Failure DigestFailure(const Promise& promise, std::optional<fs::DigestKind> wrong);

// The kind that the engine's kBadDigest is about, as its detail names it.
std::optional<fs::DigestKind> WrongDigest(const Error& error);

// Whether `whole`, a body held in memory, is as promised.
Outcome<void> CheckPromise(const Promise& promise, std::string_view whole);

}  // namespace amphora::s3
