// The settings of a bucket in words: the flags of `amphora bucket set` to the JSON of the control
// socket, that JSON to the engine's change, and back for `bucket show`. Pure functions;
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/control/protocol.h"
#include "cli/outcome.h"
#include "fs/buckets.h"

namespace amphora::cli {

// "4096", "10K", "1.5 GiB" is none: digits, then nothing or one of K M G T P E (powers of 1024),
// then nothing, "B" or "iB"; upper or lower case. At most 2^62. The failure says what is wrong.
Outcome<std::uint64_t> ParseAmount(std::string_view text);

// "UID" or "UID:GID", decimal, each below 2^32 - 1.
struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};
Outcome<Owner> ParseOwner(std::string_view text);

// Octal, 0 to 777.
Outcome<std::uint32_t> ParsePermissions(std::string_view text);

// Of a request's body: only what is named changes, null takes a setting away. A failure names the
// member that is wrong.
Outcome<fs::BucketSettingsChange> ReadSettings(const Json& body);
// All of them; null: not set.
Json WriteSettings(const fs::BucketSettings& settings);

}  // namespace amphora::cli
