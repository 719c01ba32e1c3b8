// The escaped text of a request target: the path and the query exactly as they came over the wire,
// decoded once and never normalised ("//", "." and ".." are legal in S3 keys). Thread-safe: pure
// functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace amphora::s3 {

enum class Plus { kLiteral, kSpace };  // what '+' decodes to: in a path, in a query
enum class Slash { kKeep, kEncode };   // what happens to '/' when encoding

// Undoes %XX. Nothing when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> PercentDecode(std::string_view text, Plus plus);

// Escapes every byte but A-Z a-z 0-9 - . _ ~ as %XX in upper case, as SigV4 wants it.
// (AWS: Signature Version 4, UriEncode)
std::string UriEncode(std::string_view text, Slash slash);

struct QueryParameter {
  std::string name;  // decoded
  std::string value;
  bool has_value = false;  // "acl=" has one (empty), "acl" has not
};

// The parameters in the order of the request. Empty parts ("a&&b") are left out. Nothing when an
// escape is malformed or there are more than `kMaxQueryParameters`.
inline constexpr std::size_t kMaxQueryParameters = 256;
std::optional<std::vector<QueryParameter>> ParseQuery(std::string_view raw_query);

}  // namespace amphora::s3
