// AWS Signature Version 4: who sent this request, and did nobody change it on the way? By
// Authorization header or by presigned query. (AWS: Authenticating Requests (AWS Signature Version
// 4), Amazon S3 API)
//
// Rules that are easy to get wrong:
//  1. The canonical path is the path decoded once and encoded once, never normalised.
//  2. A credential is split from the right: access keys may contain '/', '@', ':' and '+'.
//  3. Every x-amz-* header of the request must be signed, and so must Host.
//  4. Signatures are compared in constant time.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fs/credentials.h"
#include "meta/base/clock.h"
#include "s3/auth/failure.h"
#include "s3/auth/payload.h"

namespace amphora::s3 {

using SigningKey = std::array<std::byte, 32>;

// A request as it came. Views must outlive the call only.
struct SignedRequest {
  std::string_view method;
  std::string_view raw_path;   // the target up to '?', undecoded: "/bucket/a%20b"
  std::string_view raw_query;  // after the '?', undecoded
  std::span<const HeaderField> headers;
};

// What verifies the chunks and the trailer of a signed aws-chunked body.
struct ChunkSigning {
  SigningKey key;
  std::string seed_signature;  // 64 hexadecimal digits: the request's own signature
  std::string timestamp;       // "20130524T000000Z"
  std::string scope;           // "20130524/us-east-1/s3/aws4_request"
};

struct Identity {
  std::string access_key = {};
  std::string owner = {};
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  Payload payload = {};
  std::optional<ChunkSigning> chunk_signing = {};  // of the signed chunked modes
};

// The key of an id; kNoSuchKey when there is none. Must be quick (fs::Credentials caches).
using KeyLookup = std::function<Result<fs::AccessKey>(std::string_view id)>;

// Thread-safe; keeps the derived signing keys of the last few hundred (secret, day, region).
class SigV4Verifier {
 public:
  explicit SigV4Verifier(std::string region);
  ~SigV4Verifier();

  std::expected<Identity, AuthError> Verify(const SignedRequest& request, Time now,
                                            const KeyLookup& lookup) const;

 private:
  class KeyCache;
  std::string region_;
  std::unique_ptr<KeyCache> keys_;
};

}  // namespace amphora::s3
