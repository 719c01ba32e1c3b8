// Visible names: how the mount shows names that POSIX cannot carry, and back (design section 3,
// hazards 4.4).
//
//   @amphora@f:NAME   the file NAME
//   @amphora@d:NAME   the directory NAME
//
// NAME is the raw name with '%' and NUL written as %XX (upper-case hex). Shown for: the empty
// name ("x//y" has a directory with an empty name; "dir/" with content is the file with the empty
// name in dir), "." and "..", names with NUL, names that begin with the prefix, and a file beside a
// directory of the same name. The escape addresses its file or directory in every call, also where
// it is not needed. Decoding is total, encoding injective. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fs/keys.h"
#include "fs/types.h"

namespace amphora::fs {

inline constexpr std::string_view kEscapePrefix = "@amphora@";

// What a visible name asks for.
struct VisibleName {
  std::string raw;
  // Set when the name was an escape: then only that kind is meant. Otherwise a directory of the
  // name hides a file of the name.
  std::optional<bool> directory;
};

// kInvalidArgument: begins with the prefix but is no escape. kNotFound is the caller's answer for
// look-ups then.
Result<VisibleName> DecodeVisibleName(std::string_view visible);

// The name that the mount shows. `shadowed`: a file beside a directory of the same name.
std::string ToVisibleName(std::string_view raw, bool directory, bool shadowed);
// True when the name can be shown as it is (no escape needed but for shadowing).
bool IsPlainName(std::string_view raw);
std::string EscapedName(std::string_view raw, bool directory);

}  // namespace amphora::fs
