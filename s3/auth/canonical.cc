#include "s3/auth/canonical.h"

#include <algorithm>
#include <utility>

#include "s3/auth/credential.h"
#include "s3/auth/headers.h"

namespace amphora::s3::auth {
namespace {

void AppendQuery(std::span<const QueryParameter> query, std::string& out) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(query.size());
  for (const QueryParameter& parameter : query) {
    if (parameter.name == "X-Amz-Signature") continue;  // can't be part of what it signs
    encoded.emplace_back(UriEncode(parameter.name, Slash::kEncode),
                         UriEncode(parameter.value, Slash::kEncode));
  }
  std::ranges::sort(encoded);
  bool first = true;
  for (const auto& [name, value] : encoded) {
    if (!std::exchange(first, false)) out.push_back('&');
    out.append(name).append("=").append(value);
  }
}

// Runs of blanks become one.
void AppendCollapsed(std::string_view value, std::string& out) {
  bool blank = false;
  for (const char c : value) {
    const bool is_blank = c == ' ' || c == '\t';
    if (!is_blank) {
      out.push_back(c);
    } else if (!blank) {
      out.push_back(' ');
    }
    blank = is_blank;
  }
}

void AppendHeader(std::span<const HeaderField> headers, std::string_view name, std::string& out) {
  out.append(name).push_back(':');
  bool first = true;
  for (const HeaderField& header : headers) {
    if (!EqualIgnoringCase(header.name, name)) continue;
    if (!std::exchange(first, false)) out.push_back(',');
    AppendCollapsed(Trim(header.value), out);
  }
  out.push_back('\n');
}

std::string Join(const ToSign& what, std::string_view algorithm) {
  std::string text;
  text.reserve(320);
  text.append(algorithm).append("\n");
  text.append(what.timestamp).append("\n");
  text.append(what.scope).append("\n");
  return text;
}

}  // namespace

std::optional<std::string> CanonicalRequest(const CanonicalParts& parts) {
  const auto path = PercentDecode(parts.raw_path, Plus::kLiteral);
  if (!path) return std::nullopt;
  std::string text;
  text.reserve(512 + parts.raw_path.size());
  text.append(parts.method).append("\n");
  text.append(path->empty() ? "/" : UriEncode(*path, Slash::kKeep)).append("\n");
  AppendQuery(parts.query, text);
  text.push_back('\n');
  for (const std::string& name : parts.signed_headers) AppendHeader(parts.headers, name, text);
  text.push_back('\n');
  bool first = true;
  for (const std::string& name : parts.signed_headers) {
    if (!std::exchange(first, false)) text.push_back(';');
    text.append(name);
  }
  text.append("\n").append(parts.payload_hash);
  return text;
}

std::string StringToSign(const ToSign& what, std::string_view canonical_request) {
  return Join(what, kAlgorithm) + ToHex(Sha256Of(AsBytes(canonical_request)));
}

std::string ChunkStringToSign(const ToSign& what, std::string_view previous_signature,
                              const Hash256& chunk_hash) {
  // The hash of nothing stands where chunk extensions could be.
  constexpr std::string_view kOfNothing =
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  std::string text = Join(what, "AWS4-HMAC-SHA256-PAYLOAD");
  text.append(previous_signature).append("\n");
  text.append(kOfNothing).append("\n");
  return text.append(ToHex(chunk_hash));
}

std::string TrailerStringToSign(const ToSign& what, std::string_view previous_signature,
                                const Hash256& trailer_hash) {
  std::string text = Join(what, "AWS4-HMAC-SHA256-TRAILER");
  text.append(previous_signature).append("\n");
  return text.append(ToHex(trailer_hash));
}

}  // namespace amphora::s3::auth
