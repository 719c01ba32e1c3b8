// The addresses in a page of the bucket browser. Where keys are wanted, each is signed with the key
// that opened the page and holds no longer than the page's own address. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/auth/presign.h"
#include "s3/request.h"

namespace amphora::s3 {

class BrowserLinks {
 public:
  // `signing` absent: plain addresses.
  BrowserLinks(const Request& page, std::optional<Signing> signing)
      : page_(page), signing_(std::move(signing)) {}

  // The page of `prefix`, after the name `after` (empty: the first).
  std::string Page(std::string_view prefix, std::string_view after) const;
  // The object `key` as a download.
  std::string Download(std::string_view key) const;

 private:
  std::string Query(std::string_view raw_path, std::vector<QueryParameter> query) const;

  const Request& page_;
  const std::optional<Signing> signing_;
};

// "attachment; filename=…" with the last part of the key. (RFC 6266)
std::string AttachmentOf(std::string_view key);

// The address of a bucket's first page: "http://localhost:9878/photos?browser=true". `base` is the
// endpoint's, without a path.
std::string BrowserAddress(std::string_view base, std::string_view bucket, std::string_view prefix,
                           const std::optional<Signing>& signing);

}  // namespace amphora::s3
