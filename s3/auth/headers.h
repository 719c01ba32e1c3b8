// Looking into a list of header lines. Internal to s3/auth. Thread-safe: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "s3/auth/payload.h"

namespace amphora::s3::auth {

std::string ToLower(std::string_view text);
// Without blanks (space, tab) at both ends.
std::string_view Trim(std::string_view text);
bool EqualIgnoringCase(std::string_view a, std::string_view b);

// The trimmed values of every line called `name` (any case), joined with commas; nothing when there
// is none. Joining makes a repeated header unreadable where only one value makes sense, which is
// what we want.
std::optional<std::string> FindHeader(std::span<const HeaderField> headers, std::string_view name);

// The trimmed, non-empty parts of a list.
std::vector<std::string_view> Split(std::string_view list, char separator);

}  // namespace amphora::s3::auth
