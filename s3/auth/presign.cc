#include "s3/auth/presign.h"

#include "s3/auth/canonical.h"
#include "s3/auth/credential.h"
#include "s3/auth/date.h"
#include "s3/auth/hash.h"
#include "s3/auth/key_cache.h"

namespace amphora::s3 {
namespace {

constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

}  // namespace

std::string SigningTimestamp(Time time) { return auth::FormatAmzDate(time); }

std::string QueryText(const std::vector<QueryParameter>& query) {
  std::string text;
  for (const QueryParameter& parameter : query) {
    if (!text.empty()) text.push_back('&');
    text.append(UriEncode(parameter.name, Slash::kEncode)).push_back('=');
    text.append(UriEncode(parameter.value, Slash::kEncode));
  }
  return text;
}

std::string PresignGet(const Signing& signing, std::string_view host, std::string_view raw_path,
                       std::vector<QueryParameter> query) {
  const auth::Credential credential{.access_key = signing.access_key,
                                    .day = signing.timestamp.substr(0, 8),
                                    .region = signing.region,
                                    .service = "s3"};
  const std::string scope = credential.Scope();
  const auto add = [&query](std::string name, std::string value) {
    query.push_back({std::move(name), std::move(value), true});
  };
  add("X-Amz-Algorithm", std::string(auth::kAlgorithm));
  add("X-Amz-Credential", signing.access_key + "/" + scope);
  add("X-Amz-Date", signing.timestamp);
  add("X-Amz-Expires", std::to_string(signing.expires_seconds));
  add("X-Amz-SignedHeaders", "host");
  const HeaderField host_field{"host", host};
  const std::string signed_header = "host";
  const auto canonical = auth::CanonicalRequest({.method = "GET",
                                                 .raw_path = raw_path,
                                                 .query = query,
                                                 .headers = {&host_field, 1},
                                                 .signed_headers = {&signed_header, 1},
                                                 .payload_hash = kUnsignedPayload});
  // Only a path with a broken escape has none: nothing that we made or that was answered.
  if (!canonical) return QueryText(query);
  const std::string to_sign =
      auth::StringToSign({.timestamp = signing.timestamp, .scope = scope}, *canonical);
  const SigningKey key = DeriveSigningKey(signing.secret, credential);
  add("X-Amz-Signature", auth::ToHex(auth::HmacSha256(key, to_sign)));
  return QueryText(query);
}

}  // namespace amphora::s3
