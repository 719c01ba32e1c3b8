// S3's listing by its definition, over a sorted set of keys: what every implementation of it is
// compared with.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "fs/objects.h"

namespace amphora::test {

struct ListedPage {
  std::vector<std::string>
      items;  // keys, and common prefixes with a '>' in front, in byte order of both
  bool truncated = false;
  std::string next;
};

inline ListedPage ReferenceListing(const std::set<std::string>& keys,
                                   const fs::ListRequest& request) {
  ListedPage page;
  std::string behind;  // the common prefix that was answered last
  auto at = keys.lower_bound(request.prefix);
  if (request.start_after >= request.prefix) at = keys.upper_bound(request.start_after);
  const auto common_of = [&](const std::string& key) -> std::string {
    if (request.delimiter.empty()) return "";
    const std::size_t found = key.find(request.delimiter, request.prefix.size());
    return found == std::string::npos ? "" : key.substr(0, found + request.delimiter.size());
  };
  if (request.start_after.starts_with(request.prefix) &&
      common_of(request.start_after) == request.start_after) {
    behind = request.start_after;
  }
  for (; at != keys.end() && at->starts_with(request.prefix); ++at) {
    const std::string common = common_of(*at);
    if (!common.empty() && common == behind) continue;
    if (page.items.size() == request.limit) {
      page.truncated = true;
      return page;
    }
    page.items.push_back(common.empty() ? *at : ">" + common);
    page.next = common.empty() ? *at : common;
    behind = common;
  }
  page.next.clear();
  return page;
}

// The engine's page in the same form.
inline ListedPage Merged(const fs::ListPage& listed) {
  ListedPage page;
  page.truncated = listed.truncated;
  page.next = listed.next;
  auto object = listed.objects.begin();
  auto prefix = listed.common_prefixes.begin();
  while (object != listed.objects.end() || prefix != listed.common_prefixes.end()) {
    const bool take_object = prefix == listed.common_prefixes.end() ||
                             (object != listed.objects.end() && object->key < *prefix);
    page.items.push_back(take_object ? object->key : ">" + *prefix);
    take_object ? (void)++object : (void)++prefix;
  }
  return page;
}

}  // namespace amphora::test
