#include "s3/auth/credential.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "s3/auth/headers.h"

namespace amphora::s3::auth {
namespace {

constexpr std::size_t kMaxAccessKeyBytes = 128;

std::unexpected<AuthError> Fail(AuthFailure failure, std::string message = {}) {
  return std::unexpected(AuthError{.failure = failure, .message = std::move(message)});
}

bool IsDay(std::string_view text) {
  return text.size() == 8 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "host;x-amz-date" in lower case; empty when a name is empty.
std::vector<std::string> ParseSignedHeaders(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(';', at), text.size());
    if (end == at) return {};
    names.push_back(ToLower(text.substr(at, end - at)));
    at = end + 1;
  }
  return names;
}

std::unexpected<AuthError> HeaderProblem(std::string_view what) {
  return Fail(AuthFailure::kHeaderMalformed,
              "The authorization header is malformed; " + std::string(what));
}

std::unexpected<AuthError> QueryProblem(std::string_view what) {
  return Fail(AuthFailure::kQueryMalformed, std::string(what));
}

struct Fields {
  std::string_view credential;
  std::string_view signed_headers;
  std::string_view signature;
};

// "Credential=..., SignedHeaders=..., Signature=..." in any order, each once.
std::expected<Fields, AuthError> SplitFields(std::string_view text) {
  Fields fields;
  for (const std::string_view part : Split(text, ',')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals);
    std::string_view* field = name == "Credential"      ? &fields.credential
                              : name == "SignedHeaders" ? &fields.signed_headers
                              : name == "Signature"     ? &fields.signature
                                                        : nullptr;
    if (field == nullptr || equals == part.size()) {
      return HeaderProblem("it has a part that is none of Credential, SignedHeaders, Signature");
    }
    if (!field->empty()) return HeaderProblem("it has a part twice");
    *field = part.substr(equals + 1);
  }
  if (fields.credential.empty()) return HeaderProblem("Credential is missing");
  if (fields.signed_headers.empty()) return HeaderProblem("SignedHeaders is missing");
  if (fields.signature.empty()) return HeaderProblem("Signature is missing");
  return fields;
}

bool HasWord(std::string_view text, std::string_view word) {
  return text.starts_with(word) &&
         (text.size() == word.size() || text[word.size()] == ' ' || text[word.size()] == '\t');
}

struct PresignedFields {
  std::string algorithm;
  std::string credential;
  std::string date;
  std::string expires;
  std::string signed_headers;
  std::string signature;
  std::string content_sha256;
};

struct PresignedName {
  std::string_view name;
  std::string PresignedFields::* field;
  bool required;
};
constexpr std::array<PresignedName, 7> kPresignedNames = {{
    {"X-Amz-Algorithm", &PresignedFields::algorithm, true},
    {"X-Amz-Credential", &PresignedFields::credential, true},
    {"X-Amz-Date", &PresignedFields::date, true},
    {"X-Amz-Expires", &PresignedFields::expires, true},
    {"X-Amz-SignedHeaders", &PresignedFields::signed_headers, true},
    {"X-Amz-Signature", &PresignedFields::signature, true},
    {"X-Amz-Content-Sha256", &PresignedFields::content_sha256, false},
}};

std::expected<PresignedFields, AuthError> CollectPresigned(std::span<const QueryParameter> query) {
  PresignedFields fields;
  for (const PresignedName& row : kPresignedNames) {
    bool seen = false;
    for (const QueryParameter& parameter : query) {
      if (parameter.name != row.name) continue;
      if (seen) return QueryProblem("The parameter " + parameter.name + " is given twice");
      seen = true;
      fields.*row.field = parameter.value;
    }
    if (row.required && (fields.*row.field).empty()) {
      return QueryProblem("Query-string authentication version 4 requires the parameter " +
                          std::string(row.name));
    }
  }
  return fields;
}

std::expected<std::int64_t, AuthError> ParseExpires(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (end != text.data() + text.size() ||
      (error != std::errc() && error != std::errc::result_out_of_range)) {
    return QueryProblem("X-Amz-Expires should be a number");
  }
  if (error == std::errc::result_out_of_range || seconds < 1 || seconds > kMaxPresignedSeconds) {
    return QueryProblem("X-Amz-Expires must be from 1 to 604800 seconds (a week)");
  }
  return seconds;
}

}  // namespace

std::string Credential::Scope() const {
  std::string scope = day;
  scope.append("/").append(region).append("/").append(service).append("/").append(kTerminator);
  return scope;
}

std::optional<Credential> ParseCredential(std::string_view text) {
  std::array<std::string_view, 4> parts;  // terminator, service, region, day
  for (std::string_view& part : parts) {
    const std::size_t slash = text.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    part = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  const bool filled = !text.empty() && !parts[1].empty() && !parts[2].empty();
  if (!filled || text.size() > kMaxAccessKeyBytes || parts[0] != kTerminator || !IsDay(parts[3])) {
    return std::nullopt;
  }
  return Credential{std::string(text), std::string(parts[3]), std::string(parts[2]),
                    std::string(parts[1])};
}

std::expected<Claim, AuthError> ParseAuthorization(std::string_view value) {
  if (value.size() > kMaxAuthorizationBytes) return HeaderProblem("it is too long");
  if (!HasWord(value, kAlgorithm)) {
    // SigV2 ("AWS id:signature") and SigV4A.
    const bool from_aws = HasWord(value, "AWS") || value.starts_with("AWS4-");
    return Fail(from_aws ? AuthFailure::kUnsupportedMechanism : AuthFailure::kUnknownScheme);
  }
  const auto fields = SplitFields(value.substr(kAlgorithm.size()));
  if (!fields) return std::unexpected(fields.error());
  auto credential = ParseCredential(fields->credential);
  if (!credential) {
    return HeaderProblem(
        "the Credential is mal-formed; expecting \"<access key>/YYYYMMDD/REGION/s3/aws4_request\"");
  }
  Claim claim;
  claim.credential = std::move(*credential);
  claim.signed_headers = ParseSignedHeaders(fields->signed_headers);
  if (claim.signed_headers.empty()) return HeaderProblem("SignedHeaders has an empty name");
  claim.signature = std::string(fields->signature);
  return claim;
}

bool ClaimsToBePresigned(std::span<const QueryParameter> query) {
  return std::ranges::any_of(query, [](const QueryParameter& parameter) {
    return parameter.name == "X-Amz-Algorithm" || parameter.name == "X-Amz-Credential" ||
           parameter.name == "X-Amz-Signature" || parameter.name == "AWSAccessKeyId" ||
           parameter.name == "Signature";
  });
}

std::expected<Claim, AuthError> ParsePresigned(std::span<const QueryParameter> query) {
  const bool version_2 = std::ranges::any_of(query, [](const QueryParameter& parameter) {
    return parameter.name == "AWSAccessKeyId" || parameter.name == "Signature";
  });
  if (version_2) return Fail(AuthFailure::kUnsupportedMechanism);
  auto fields = CollectPresigned(query);
  if (!fields) return std::unexpected(std::move(fields.error()));
  if (fields->algorithm != kAlgorithm) {
    return QueryProblem("X-Amz-Algorithm only supports AWS4-HMAC-SHA256");
  }
  auto credential = ParseCredential(fields->credential);
  if (!credential) {
    return QueryProblem(
        "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
        "\"<access key>/YYYYMMDD/REGION/s3/aws4_request\"");
  }
  const auto expires = ParseExpires(fields->expires);
  if (!expires) return std::unexpected(expires.error());
  Claim claim{.credential = std::move(*credential),
              .signed_headers = ParseSignedHeaders(fields->signed_headers),
              .signature = std::move(fields->signature),
              .presigned = true,
              .timestamp = std::move(fields->date),
              .expires_seconds = *expires,
              .content_sha256 = std::move(fields->content_sha256)};
  if (claim.signed_headers.empty()) return QueryProblem("X-Amz-SignedHeaders has an empty name");
  return claim;
}

}  // namespace amphora::s3::auth
