#include "s3/request.h"

#include <arpa/inet.h>

#include <algorithm>

#include "s3/limits.h"

namespace amphora::s3 {
namespace {

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

Method MethodOf(std::string_view text) {
  if (text == "GET") return Method::kGet;
  if (text == "HEAD") return Method::kHead;
  if (text == "PUT") return Method::kPut;
  if (text == "POST") return Method::kPost;
  if (text == "DELETE") return Method::kDelete;
  return Method::kOther;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

std::string HostWithoutPort(std::string_view host) {
  host = Trim(host);
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return ToLower(end == std::string_view::npos ? host : host.substr(1, end - 1));
  }
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return ToLower(host);
}

bool IsIpAddress(std::string_view host) {
  in6_addr parsed;
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), &parsed) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &parsed) == 1;
}

std::string_view BucketOfHost(std::string_view host, std::span<const std::string> domains) {
  if (IsIpAddress(host)) return {};
  std::string_view longest;
  for (const std::string& domain : domains) {
    if (host == domain) return {};
    if (host.size() <= domain.size() + 1 || !host.ends_with(domain)) continue;
    if (host[host.size() - domain.size() - 1] != '.') continue;
    if (domain.size() > longest.size()) longest = domain;
  }
  return longest.empty() ? std::string_view() : host.substr(0, host.size() - longest.size() - 1);
}

Outcome<Request> Request::Parse(RawRequest raw, std::span<const std::string> domains) {
  Request request;
  request.raw_ = std::move(raw);
  request.method_ = MethodOf(request.raw_.method);
  if (request.raw_.target.size() > kMaxUriBytes) return Fail(S3Code::kUriTooLong);
  if (request.raw_.headers.size() > kMaxHeaderFields) return Fail(S3Code::kHeadersTooLarge);
  std::size_t header_bytes = 0;
  for (HeaderField& field : request.raw_.headers) {
    header_bytes += field.name.size() + field.value.size() + 4;
    field.value = Trim(field.value);
  }
  if (header_bytes > kMaxHeaderBytes) return Fail(S3Code::kHeadersTooLarge);
  request.host_ = HostWithoutPort(request.Header("Host"));
  if (auto split = request.SplitTarget(); !split) return std::unexpected(split.error());
  if (auto split = request.SplitPath(domains); !split) return std::unexpected(split.error());
  return request;
}

Outcome<void> Request::SplitTarget() {
  std::string_view target = raw_.target;
  // Absolute form (RFC 9112 section 3.2.2): its authority counts instead of Host.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!StartsWithIgnoreCase(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t slash = target.find_first_of("/?");
    host_ = HostWithoutPort(target.substr(0, slash));
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  const std::size_t question = target.find('?');
  raw_path_ = target.substr(0, question);
  if (question != std::string_view::npos) raw_query_ = target.substr(question + 1);
  if (!raw_path_.starts_with('/') || raw_path_.find('#') != std::string_view::npos) {
    return Fail(S3Code::kInvalidUri);
  }
  auto query = ParseQuery(raw_query_);
  if (!query) return Fail(S3Code::kInvalidUri);
  query_ = std::move(*query);
  return {};
}

// Keys are the bytes after the bucket's slash, decoded once: "//", "." and ".." are parts of keys.
Outcome<void> Request::SplitPath(std::span<const std::string> domains) {
  std::string_view path = raw_path_.substr(1);
  if (const std::string_view named = BucketOfHost(host_, domains); !named.empty()) {
    virtual_host_ = true;
    bucket_ = named;
    auto key = PercentDecode(path, Plus::kLiteral);
    if (!key) return Fail(S3Code::kInvalidUri);
    key_ = std::move(*key);
    return {};
  }
  const std::size_t slash = path.find('/');
  auto bucket = PercentDecode(path.substr(0, slash), Plus::kLiteral);
  auto key =
      PercentDecode(slash == std::string_view::npos ? "" : path.substr(slash + 1), Plus::kLiteral);
  if (!bucket || !key) return Fail(S3Code::kInvalidUri);
  bucket_ = std::move(*bucket);
  key_ = std::move(*key);
  if (bucket_.empty() && slash != std::string_view::npos) return Fail(S3Code::kInvalidBucketName);
  return {};
}

Scope Request::scope() const {
  if (bucket_.empty()) return Scope::kService;
  return key_.empty() ? Scope::kBucket : Scope::kObject;
}

std::string_view Request::Header(std::string_view name) const {
  for (const HeaderField& field : raw_.headers) {
    if (EqualsIgnoreCase(field.name, name)) return field.value;
  }
  if (query_.empty() || !StartsWithIgnoreCase(name, "x-amz-")) return {};
  for (const QueryParameter& parameter : query_) {
    if (EqualsIgnoreCase(parameter.name, name)) return parameter.value;
  }
  return {};
}

bool Request::HasHeader(std::string_view name) const {
  const auto in_headers = [&](const HeaderField& f) { return EqualsIgnoreCase(f.name, name); };
  const auto in_query = [&](const QueryParameter& p) { return EqualsIgnoreCase(p.name, name); };
  return std::ranges::any_of(raw_.headers, in_headers) ||
         (StartsWithIgnoreCase(name, "x-amz-") && std::ranges::any_of(query_, in_query));
}

const QueryParameter* Request::Query(std::string_view name) const {
  for (const QueryParameter& parameter : query_) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

std::string_view Request::QueryValue(std::string_view name) const {
  const QueryParameter* parameter = Query(name);
  return parameter == nullptr ? std::string_view() : parameter->value;
}

std::string Request::Resource() const {
  std::string resource = "/" + bucket_;
  if (!key_.empty()) resource.append("/").append(key_);
  return resource;
}

}  // namespace amphora::s3
