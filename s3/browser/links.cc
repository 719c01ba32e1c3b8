#include "s3/browser/links.h"

namespace amphora::s3 {
namespace {

std::vector<QueryParameter> PageQuery(std::string_view prefix, std::string_view after) {
  std::vector<QueryParameter> query = {{"browser", "true", true}};
  if (!prefix.empty()) query.push_back({"prefix", std::string(prefix), true});
  if (!after.empty()) query.push_back({"after", std::string(after), true});
  return query;
}

// A user agent takes "." and ".." out of a path, escaped or not, and reads "//x" as another host's
// address (WHATWG URL): such keys go into the query.
bool FitsPath(std::string_view key, bool virtual_host) {
  if (virtual_host && key.starts_with('/')) return false;
  while (!key.empty()) {
    const std::size_t slash = key.find('/');
    const std::string_view part = key.substr(0, slash);
    if (part == "." || part == "..") return false;
    if (slash == std::string_view::npos) break;
    key.remove_prefix(slash + 1);
  }
  return true;
}

}  // namespace

std::string BrowserLinks::Query(std::string_view raw_path,
                                std::vector<QueryParameter> query) const {
  if (!signing_) return QueryText(query);
  return PresignGet(*signing_, page_.Header("Host"), raw_path, std::move(query));
}

std::string BrowserLinks::Page(std::string_view prefix, std::string_view after) const {
  return "?" + Query(page_.raw_path(), PageQuery(prefix, after));
}

std::string BrowserLinks::Download(std::string_view key) const {
  const QueryParameter attachment{"response-content-disposition", AttachmentOf(key), true};
  if (!FitsPath(key, page_.virtual_host())) {
    return "?" +
           Query(page_.raw_path(),
                 {{"browser", "true", true}, {"download", std::string(key), true}, attachment});
  }
  std::string path =
      page_.virtual_host() ? "/" : "/" + UriEncode(page_.bucket(), Slash::kEncode) + "/";
  path += UriEncode(key, Slash::kKeep);
  return path + "?" + Query(path, {attachment});
}

std::string AttachmentOf(std::string_view key) {
  const std::size_t slash = key.find_last_of('/');
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  std::string plain;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool safe = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '%';
    plain.push_back(safe ? c : '_');
  }
  if (plain.empty()) return "attachment; filename=\"download\"";
  if (plain == name) return "attachment; filename=\"" + plain + "\"";
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" +
         UriEncode(name, Slash::kEncode);
}

std::string BrowserAddress(std::string_view base, std::string_view bucket, std::string_view prefix,
                           const std::optional<Signing>& signing) {
  while (base.ends_with('/')) base.remove_suffix(1);
  const std::string path = "/" + UriEncode(bucket, Slash::kEncode);
  std::vector<QueryParameter> query = PageQuery(prefix, "");
  const std::size_t scheme = base.find("://");
  const std::string_view host = scheme == std::string_view::npos ? base : base.substr(scheme + 3);
  const std::string text =
      signing ? PresignGet(*signing, host, path, std::move(query)) : QueryText(query);
  return std::string(base) + path + "?" + text;
}

}  // namespace amphora::s3
