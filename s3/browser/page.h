// One page of the bucket browser: HTML that needs no script and no other file. Thread-safe: pure
// functions.
#pragma once

#include <string>
#include <string_view>

#include "fs/objects.h"
#include "s3/browser/links.h"

namespace amphora::s3 {

struct BrowserPage {
  std::string_view bucket;
  std::string_view prefix;    // what the page is about: "" or "a/b/"
  std::string_view after;     // not empty: a later page of it
  std::string_view endpoint;  // for the hint at the bottom: "http://localhost:9878", or empty
  bool anonymous = false;     // no key is wanted
  const fs::ListPage& list;
};

std::string RenderPage(const BrowserPage& page, const BrowserLinks& links);

// What is shown instead when a request for a page fails.
struct BrowserFailure {
  unsigned status = 500;
  std::string_view reason;  // "Not Found"
  std::string_view code;    // S3's
  std::string_view message;
  std::string_view resource;
  std::string_view request_id;
};
std::string RenderFailure(const BrowserFailure& failure);

// What a page may do, by its Content-Security-Policy: use its own style, and nothing else.
const std::string& BrowserPolicy();

}  // namespace amphora::s3
