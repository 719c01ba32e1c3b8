// The text that is signed. (AWS: Create a signed AWS API request; Amazon S3's exceptions to it)
// Internal to s3/auth. Thread-safe: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "s3/auth/hash.h"
#include "s3/auth/payload.h"
#include "s3/uri.h"

namespace amphora::s3::auth {

struct CanonicalParts {
  std::string_view method;
  std::string_view raw_path;
  std::span<const QueryParameter> query;
  std::span<const HeaderField> headers;
  std::span<const std::string> signed_headers;
  std::string_view payload_hash;  // the word or hash as it was sent
};

// Nothing when the path has a broken escape. A signed header that is not there counts as empty.
std::optional<std::string> CanonicalRequest(const CanonicalParts& parts);

struct ToSign {
  std::string_view timestamp;
  std::string_view scope;
};

// The string to sign of a canonical request.
std::string StringToSign(const ToSign& what, std::string_view canonical_request);
// Of a chunk of an aws-chunked body with this hash, after `previous_signature`.
std::string ChunkStringToSign(const ToSign& what, std::string_view previous_signature,
                              const Hash256& chunk_hash);
// Of its trailer.
std::string TrailerStringToSign(const ToSign& what, std::string_view previous_signature,
                                const Hash256& trailer_hash);

}  // namespace amphora::s3::auth
