#include "s3/browser/page.h"

#include "meta/base/encoding.h"
#include "s3/auth/hash.h"
#include "s3/browser/html.h"
#include "s3/browser/style.h"
#include "s3/http_date.h"

namespace amphora::s3 {
namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'
 viewBox='0 0 24 24' fill='none' stroke='%23b5532c' stroke-width='2' stroke-linecap='round'
 stroke-linejoin='round'%3E%3Cpath d='M9 3h6M10 3v4M14 3v4M10 7c-4 1.5-5 5-3.5 9 1 2.5 2.5 4 4 5h3
c1.5-1 3-2.5 4-5C19 12 18 8.5 14 7M10 4.5C6 4 4.5 6.5 6 10M14 4.5c4-.5 5.5 2 4 5.5'/%3E%3C/svg%3E">
)";

// Drawn once, shown by <use>.
constexpr std::string_view kSymbols = R"(<svg class="symbols" aria-hidden="true">
<symbol id="jar" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6"
 stroke-linecap="round" stroke-linejoin="round"><path d="M9 3h6M10 3v4M14 3v4M10 7c-4 1.5-5 5-3.5 9
 1 2.5 2.5 4 4 5h3c1.5-1 3-2.5 4-5C19 12 18 8.5 14 7M10 4.5C6 4 4.5 6.5 6 10M14 4.5c4-.5 5.5 2 4
 5.5"/></symbol>
<symbol id="folder" viewBox="0 0 24 24" fill="currentColor"><path d="M4 5h5l2 2.2h9a1.5 1.5 0 0 1
 1.5 1.5V18A1.5 1.5 0 0 1 20 19.5H4A1.5 1.5 0 0 1 2.5 18V6.5A1.5 1.5 0 0 1 4 5z"/></symbol>
<symbol id="file" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5"
 stroke-linecap="round" stroke-linejoin="round"><path d="M6 3h8l4.5 4.5V21H6zM14 3v4.5h4.5
 M12.2 10.5v6M9.8 14.3l2.4 2.4 2.4-2.4"/></symbol>
<symbol id="up" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8"
 stroke-linecap="round" stroke-linejoin="round"><path d="M5 9.5 9.5 5 14 9.5M9.5 5.5V15a4 4 0 0 0
 4 4H19"/></symbol>
</svg>
)";

std::string Icon(std::string_view name) {
  return "<svg aria-hidden=\"true\"><use href=\"#" + std::string(name) + "\"/></svg>";
}

std::string Anchor(std::string_view attributes, const std::string& address,
                   const std::string& content) {
  return "<a" + std::string(attributes) + " href=\"" + EscapeHtml(address) + "\">" + content +
         "</a>";
}

// A name of a row; the empty one of "a//" has nothing else to be seen by.
std::string NameText(std::string_view name) {
  if (name.empty() || name == "/") return "<span class=\"dim\">no name</span>" + ShowName(name);
  return "<bdi>" + ShowName(name) + "</bdi>";
}

// "a/b/" -> "a/"; "a" and "a/" -> "".
std::string_view ParentOf(std::string_view prefix) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  const std::size_t slash = prefix.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : prefix.substr(0, slash + 1);
}

std::string Breadcrumb(const BrowserPage& page, const BrowserLinks& links) {
  std::string html = "<nav aria-label=\"Path\"><ol>";
  const auto add = [&](std::string_view name, std::string_view prefix) {
    const bool last = prefix.size() == page.prefix.size();
    html += "<li>";
    html += last ? "<h1 aria-current=\"page\">" + NameText(name) + "</h1>"
                 : Anchor("", links.Page(prefix, ""), NameText(name));
    html += "</li>";
  };
  add(page.bucket, "");
  for (std::size_t begin = 0; begin < page.prefix.size();) {
    const std::size_t slash = page.prefix.find('/', begin);
    const std::size_t end = slash == std::string_view::npos ? page.prefix.size() : slash;
    add(page.prefix.substr(begin, end - begin),
        page.prefix.substr(0, slash == std::string_view::npos ? end : end + 1));
    begin = end + 1;
  }
  return html + "</ol></nav>";
}

std::string KindText(fs::FileKind kind) {
  switch (kind) {
    case fs::FileKind::kRegular:
    case fs::FileKind::kDirectory:
      return {};
    case fs::FileKind::kSymlink:
      return "symlink";
    case fs::FileKind::kFifo:
      return "fifo";
    case fs::FileKind::kSocket:
      return "socket";
    case fs::FileKind::kCharacterDevice:
    case fs::FileKind::kBlockDevice:
      return "device";
  }
  return {};
}

std::string Row(const std::string& name, const std::string& size, const std::string& time) {
  return "<tr><th scope=\"row\" class=\"name\">" + name + "</th><td class=\"size\">" + size +
         "</td><td class=\"time\">" + time + "</td></tr>\n";
}

std::string FolderRow(const BrowserPage& page, std::string_view prefix, const BrowserLinks& links) {
  const std::string_view name = prefix.substr(page.prefix.size());
  return Row(Anchor(" class=\"folder\"", links.Page(prefix, ""),
                    Icon("folder") + "<span><span class=\"unseen\">Folder </span>" +
                        NameText(name) + "</span>"),
             "<span class=\"unseen\">folder</span>", "");
}

std::string ObjectRow(const BrowserPage& page, const fs::ObjectInfo& object,
                      const BrowserLinks& links) {
  const std::string_view name = std::string_view(object.key).substr(page.prefix.size());
  std::string label = "<span><span class=\"unseen\">Download </span>";
  label += name.empty() ? "<span class=\"dim\">content of this folder</span>" : NameText(name);
  if (const std::string kind = KindText(object.kind); !kind.empty()) {
    label += "<span class=\"kind\">" + kind + "</span>";
  }
  label += "</span>";
  const std::string exact = ShowNumber(object.size) + (object.size == 1 ? " byte" : " bytes");
  return Row(Anchor(" download", links.Download(object.key), Icon("file") + label),
             "<data value=\"" + std::to_string(object.size) + "\" title=\"" + exact + "\">" +
                 ShowSize(object.size) + "</data>",
             "<time datetime=\"" + ToIsoDate(object.last_modified) + "\">" +
                 ShowTime(object.last_modified) + "</time>");
}

// The marker that makes a folder one that stays is no row: it is the page itself.
bool IsMarker(const BrowserPage& page, const fs::ObjectInfo& object) {
  return object.key == page.prefix && object.size == 0 && !page.prefix.empty();
}

std::string Count(std::size_t number, const char* one, const char* many) {
  return ShowNumber(number) + " " + (number == 1 ? one : many);
}

std::string Summary(const BrowserPage& page) {
  std::size_t objects = 0;
  std::uint64_t bytes = 0;
  for (const fs::ObjectInfo& object : page.list.objects) {
    if (IsMarker(page, object)) continue;
    ++objects;
    bytes += object.size;
  }
  std::string text;
  if (const std::size_t folders = page.list.common_prefixes.size(); folders > 0) {
    text = Count(folders, "folder", "folders");
  }
  if (objects > 0) {
    if (!text.empty()) text += ", ";
    text += Count(objects, "object", "objects") + ", " + ShowSize(bytes);
  }
  if (page.list.truncated || !page.after.empty()) text += " on this page";
  return text;
}

std::string Rows(const BrowserPage& page, const BrowserLinks& links) {
  std::string html;
  for (const std::string& prefix : page.list.common_prefixes) {
    html += FolderRow(page, prefix, links);
  }
  for (const fs::ObjectInfo& object : page.list.objects) {
    if (!IsMarker(page, object)) html += ObjectRow(page, object, links);
  }
  return html;
}

std::string Table(const BrowserPage& page, const BrowserLinks& links) {
  const std::string rows = Rows(page, links);
  std::string up;
  if (!page.prefix.empty()) {
    up = Row(Anchor("", links.Page(ParentOf(page.prefix), ""), Icon("up") + "<span>Up</span>"), "",
             "");
  }
  if (rows.empty() && page.prefix.empty() && page.after.empty()) {
    return "<p class=\"empty\">" + Icon("jar") + "This bucket is empty.</p>";
  }
  const std::string summary = rows.empty() ? "Nothing is here." : Summary(page);
  return "<table><caption>" + summary +
         "</caption>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\" class=\"size\">Size"
         "</th><th scope=\"col\">Modified (UTC)</th></tr></thead>\n<tbody>\n" +
         up + rows + "</tbody></table>";
}

std::string Pager(const BrowserPage& page, const BrowserLinks& links) {
  if (page.after.empty() && !page.list.truncated) return {};
  std::string html = "<nav class=\"pages\" aria-label=\"Pages\">";
  if (!page.after.empty()) {
    html += Anchor(" rel=\"first\"", links.Page(page.prefix, ""), "First page");
  }
  if (page.list.truncated) {
    html += Anchor(" rel=\"next\"", links.Page(page.prefix, page.list.next), "Next page");
  }
  return html + "</nav>";
}

std::string Footer(const BrowserPage& page) {
  if (page.endpoint.empty()) return {};
  return "<footer>On the command line: <code>aws " +
         std::string(page.anonymous ? "--no-sign-request " : "") + "--endpoint-url " +
         EscapeHtml(page.endpoint) + " s3 ls s3://" + EscapeHtml(page.bucket) +
         "</code></footer>\n";
}

// Up to where a page's own content begins. `title` is escaped.
std::string Opening(const std::string& title) {
  std::string html;
  html.reserve(16 << 10);
  html.append(kHead);
  html += "<title>" + title + " · Amphora</title>\n<style>" + std::string(kBrowserStyle) +
          "</style>\n</head>\n<body>\n";
  html.append(kSymbols);
  return html;
}

}  // namespace

std::string RenderFailure(const BrowserFailure& failure) {
  const std::string status = std::to_string(failure.status) + " " + EscapeHtml(failure.reason);
  std::string html = Opening(status);
  html +=
      "<div class=\"frame\">\n<header><svg class=\"jar\" aria-hidden=\"true\"><use "
      "href=\"#jar\"/></svg><div><p class=\"product\">Amphora</p><nav><ol><li><h1>" +
      status + "</h1></li></ol></nav></div></header>\n<main class=\"card\"><p class=\"empty\">" +
      Icon("jar") + EscapeHtml(failure.message) + "</p></main>\n<footer>" +
      ShowName(failure.resource) + " · <code>" + EscapeHtml(failure.code) +
      "</code> · request <code>" + EscapeHtml(failure.request_id) +
      "</code></footer>\n</div>\n</body>\n</html>\n";
  return html;
}

std::string RenderPage(const BrowserPage& page, const BrowserLinks& links) {
  std::string html = Opening(ShowName(std::string(page.bucket) + "/" + std::string(page.prefix)));
  html +=
      "<div class=\"frame\">\n<header><svg class=\"jar\" aria-hidden=\"true\"><use "
      "href=\"#jar\"/></svg><div><p class=\"product\">Amphora bucket</p>" +
      Breadcrumb(page, links) + "</div></header>\n<main class=\"card\">" + Table(page, links) +
      Pager(page, links) + "</main>\n" + Footer(page) + "</div>\n</body>\n</html>\n";
  return html;
}

const std::string& BrowserPolicy() {
  static const std::string policy = [] {
    const auth::Hash256 hash = auth::Sha256Of(auth::AsBytes(kBrowserStyle));
    const std::string bytes(reinterpret_cast<const char*>(hash.data()), hash.size());
    return "default-src 'none'; style-src 'sha256-" + ToBase64(bytes) +
           "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  }();
  return policy;
}

}  // namespace amphora::s3
