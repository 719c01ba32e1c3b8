#include "s3/gate.h"

#include <algorithm>

namespace amphora::s3 {
namespace {

bool IsAllowedHost(const std::string& host, std::span<const std::string> domains) {
  return IsIpAddress(host) || std::ranges::find(domains, host) != domains.end() ||
         !BucketOfHost(host, domains).empty();
}

// "http://host:port" of an Origin header names the same site as Host.
bool IsOwnOrigin(std::string_view origin, std::string_view host_header) {
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos &&
         EqualsIgnoreCase(origin.substr(scheme + 3), host_header);
}

}  // namespace

Outcome<void> CheckBrowser(const Request& request, const ServerOptions& options) {
  if (options.auth != AuthMode::kOpen) return {};
  if (!IsAllowedHost(request.host(), options.domains)) {
    return Fail(S3Code::kAccessDenied,
                "This server asks for no key and therefore answers only to its address, localhost "
                "and its configured domains.");
  }
  if (IsRead(request.method())) return {};
  const std::string_view site = request.Header("Sec-Fetch-Site");
  const std::string_view origin = request.Header("Origin");
  const bool foreign_site = !site.empty() && site != "same-origin" && site != "none";
  const bool foreign_origin = !origin.empty() && !IsOwnOrigin(origin, request.Header("Host"));
  if (foreign_site || foreign_origin) {
    return Fail(S3Code::kAccessDenied, "A browser sent this write on behalf of another site.");
  }
  return {};
}

Outcome<Identity> Identify(const Service& service, const Request& request) {
  if (service.options.auth == AuthMode::kOpen) {
    auto payload = ReadPayload(request.headers(), request.QueryValue("X-Amz-Content-Sha256"));
    if (!payload) return std::unexpected(FromAuth(payload.error()));
    Identity anybody;
    anybody.owner = service.options.default_owner;
    anybody.uid = service.options.default_uid;
    anybody.gid = service.options.default_gid;
    anybody.payload = std::move(*payload);
    return anybody;
  }
  const SignedRequest signed_request{.method = request.method_text(),
                                     .raw_path = request.raw_path(),
                                     .raw_query = request.raw_query(),
                                     .headers = request.headers()};
  auto identity = service.verifier.Verify(signed_request, Time::Now(), service.lookup);
  if (!identity) return std::unexpected(FromAuth(identity.error()));
  return std::move(*identity);
}

}  // namespace amphora::s3
