// One HTTP request as the operations see it: method, address, query, headers. The raw target stays
// as it was sent, for the signature. Views point into the session's parser and live as long as the
// request. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "s3/auth/payload.h"
#include "s3/error.h"
#include "s3/uri.h"

namespace amphora::s3 {

enum class Method : std::uint8_t { kGet, kHead, kPut, kPost, kDelete, kOther };

constexpr bool IsRead(Method method) { return method == Method::kGet || method == Method::kHead; }

constexpr bool IsWrite(Method method) { return !IsRead(method) && method != Method::kOther; }

// What of the target the address names.
enum class Scope : std::uint8_t { kService, kBucket, kObject };

// Case-insensitive for ASCII, as header names are.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix);
std::string ToLower(std::string_view text);

struct RawRequest {
  std::string_view method;
  std::string_view target;
  std::vector<HeaderField> headers;
  std::string_view peer = {};  // the other end's IP address
  bool encrypted = false;      // came through our TLS
};

class Request {
 public:
  // Splits and decodes target and host. `domains`: those of virtual-host-style addresses.
  // kInvalidUri, kUriTooLong, kHeadersTooLarge.
  static Outcome<Request> Parse(RawRequest raw, std::span<const std::string> domains);

  Method method() const { return method_; }
  std::string_view method_text() const { return raw_.method; }
  std::string_view raw_path() const { return raw_path_; }
  std::string_view raw_query() const { return raw_query_; }
  std::string_view peer() const { return raw_.peer; }
  bool encrypted() const { return raw_.encrypted; }
  std::span<const HeaderField> headers() const { return raw_.headers; }
  const std::vector<QueryParameter>& query() const { return query_; }

  // The host without its port, lower-case.
  const std::string& host() const { return host_; }
  // The bucket's name came with the host ("bucket.domain"), not with the path.
  bool virtual_host() const { return virtual_host_; }
  Scope scope() const;
  const std::string& bucket() const { return bucket_; }
  const std::string& key() const { return key_; }

  // The first header of that name, blanks trimmed; empty when there is none. An x-amz-* name is
  // also looked for in the query, where presigning puts headers.
  std::string_view Header(std::string_view name) const;
  bool HasHeader(std::string_view name) const;
  // The first parameter of that name.
  const QueryParameter* Query(std::string_view name) const;
  std::string_view QueryValue(std::string_view name) const;

  // "/bucket/key" for the <Resource> of errors and for the log.
  std::string Resource() const;

 private:
  Outcome<void> SplitTarget();
  Outcome<void> SplitPath(std::span<const std::string> domains);

  RawRequest raw_;
  Method method_ = Method::kOther;
  std::string_view raw_path_;
  std::string_view raw_query_;
  std::vector<QueryParameter> query_;
  std::string host_;
  bool virtual_host_ = false;
  std::string bucket_;
  std::string key_;
};

// "example.org:9878" -> "example.org", "[::1]:80" -> "::1", lower-case, without a final dot.
std::string HostWithoutPort(std::string_view host);

// Whether `host` ("127.0.0.1", "::1", without a port) is an IP address.
bool IsIpAddress(std::string_view host);

// The bucket that a host names below one of `domains` (lower-case): "a.b.example.org" is bucket
// "a.b" of example.org. Of several domains the longest counts. Empty: the address is path-style,
// as it is for a domain itself and for every IP address. (S3: virtual hosting of buckets)
std::string_view BucketOfHost(std::string_view host, std::span<const std::string> domains);

}  // namespace amphora::s3
