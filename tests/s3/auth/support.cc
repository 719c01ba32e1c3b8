#include "tests/s3/auth/support.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <map>

#include "meta/base/encoding.h"

namespace amphora::s3::test {
namespace {

std::string Hmac(std::string_view key, std::string_view message) {
  unsigned char out[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), out, &size);
  return std::string(reinterpret_cast<char*>(out), size);
}

std::string HexSha256(std::string_view text) {
  unsigned char out[32];
  EVP_Digest(text.data(), text.size(), out, nullptr, EVP_sha256(), nullptr);
  return ToHex({reinterpret_cast<char*>(out), 32});
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Every test header is in canonical form already (no runs of blanks, none twice).
std::map<std::string, std::string> SignedHeaders(const TestRequest& request,
                                                 const SignOptions& options) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : request.headers) {
    const bool wanted = options.signed_headers.empty() ||
                        std::ranges::count(options.signed_headers, Lower(name)) > 0;
    if (wanted) headers[Lower(name)] = value;
  }
  return headers;
}

std::string JoinNames(const std::map<std::string, std::string>& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names += (names.empty() ? "" : ";") + name;
  return names;
}

std::string Scope(const SignOptions& options) {
  return options.day + "/" + options.region + "/" + options.service + "/aws4_request";
}

// The query must be in canonical form but for the order of its parameters.
std::string Signature(const TestRequest& request, const SignOptions& options,
                      const std::string& payload_hash) {
  std::vector<std::string> parameters;
  for (std::size_t at = 0; at < request.query.size();) {
    const std::size_t end = std::min(request.query.find('&', at), request.query.size());
    std::string part = request.query.substr(at, end - at);
    parameters.push_back(part.find('=') == std::string::npos ? part + "=" : part);
    at = end + 1;
  }
  std::ranges::sort(parameters);
  const auto headers = SignedHeaders(request, options);
  std::string text = request.method + "\n";
  text += (options.canonical_path.empty() ? request.path : options.canonical_path) + "\n";
  for (std::size_t i = 0; i < parameters.size(); ++i) text += (i == 0 ? "" : "&") + parameters[i];
  text += "\n";
  for (const auto& [name, value] : headers) text += name + ":" + value + "\n";
  text += "\n" + JoinNames(headers) + "\n" + payload_hash;
  return Sign(options, "AWS4-HMAC-SHA256\n" + options.timestamp + "\n" + Scope(options) + "\n" +
                           HexSha256(text));
}

bool Has(const TestRequest& request, std::string_view name) {
  return std::ranges::any_of(request.headers,
                             [name](const auto& header) { return Lower(header.first) == name; });
}

}  // namespace

void TestRequest::SetHeader(std::string_view name, std::string_view value) {
  RemoveHeader(name);
  headers.emplace_back(name, value);
}

void TestRequest::RemoveHeader(std::string_view name) {
  std::erase_if(headers, [name](const auto& header) {
    return Lower(header.first) == Lower(std::string(name));
  });
}

KeyLookup OneKey(std::string_view id, std::string_view secret) {
  return [id = std::string(id),
          secret = std::string(secret)](std::string_view asked) -> Result<fs::AccessKey> {
    if (asked != id) return ErrorCode::kNoSuchKey;
    return fs::AccessKey{
        .id = id, .secret = secret, .uid = 1000, .gid = 1001, .owner = "alice", .created = {}};
  };
}

Time AwsExampleTime(std::int64_t seconds) { return Time((1369353600 + seconds) * 1'000'000'000); }

std::expected<Identity, AuthError> Verify(const TestRequest& request, Time now,
                                          const KeyLookup& lookup) {
  std::vector<HeaderField> headers;
  for (const auto& [name, value] : request.headers) headers.push_back({name, value});
  static const SigV4Verifier verifier("us-east-1");
  return verifier.Verify({.method = request.method,
                          .raw_path = request.path,
                          .raw_query = request.query,
                          .headers = headers},
                         now, lookup);
}

std::expected<Identity, AuthError> Verify(const TestRequest& request) {
  return Verify(request, AwsExampleTime(), OneKey(kAwsKey, kAwsSecret));
}

std::string Sign(const SignOptions& options, std::string_view string_to_sign) {
  std::string key = Hmac("AWS4" + options.secret, options.day);
  key = Hmac(key, options.region);
  key = Hmac(key, options.service);
  key = Hmac(key, "aws4_request");
  return ToHex(Hmac(key, string_to_sign));
}

void SignByHeader(TestRequest& request, const SignOptions& options) {
  if (!Has(request, "host")) request.SetHeader("Host", "examplebucket.s3.amazonaws.com");
  if (!Has(request, "date")) request.SetHeader("x-amz-date", options.timestamp);
  if (!Has(request, "x-amz-content-sha256")) {
    request.SetHeader("x-amz-content-sha256", kHashOfNothing);
  }
  std::string payload_hash;
  for (const auto& [name, value] : request.headers) {
    if (Lower(name) == "x-amz-content-sha256") payload_hash = value;
  }
  const std::string signature = Signature(request, options, payload_hash);
  request.SetHeader("Authorization",
                    "AWS4-HMAC-SHA256 Credential=" + options.access_key + "/" + Scope(options) +
                        ",SignedHeaders=" + JoinNames(SignedHeaders(request, options)) +
                        ",Signature=" + signature);
}

void Presign(TestRequest& request, std::string_view expires, const SignOptions& options) {
  if (!Has(request, "host")) request.SetHeader("Host", "examplebucket.s3.amazonaws.com");
  std::string names = JoinNames(SignedHeaders(request, options));
  for (std::size_t at; (at = names.find(';')) != std::string::npos;) names.replace(at, 1, "%3B");
  std::string scope = Scope(options);
  for (std::size_t at; (at = scope.find('/')) != std::string::npos;) scope.replace(at, 1, "%2F");
  if (!request.query.empty()) request.query += "&";
  request.query += "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + options.access_key +
                   "%2F" + scope + "&X-Amz-Date=" + options.timestamp +
                   "&X-Amz-Expires=" + std::string(expires) + "&X-Amz-SignedHeaders=" + names;
  request.query += "&X-Amz-Signature=" + Signature(request, options, "UNSIGNED-PAYLOAD");
}

}  // namespace amphora::s3::test
