// The last failures that programs got and that are ours to explain: EIO, EROFS and ENOSPC through a
// mount, 5xx through S3. Each has its line in the log too; these are for `amphora status`.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "meta/base/clock.h"

namespace amphora {

inline constexpr std::size_t kMostTroubles = 20;

struct Trouble {
  Time when;
  std::string error;  // what the program was told: "ENOSPC", "507 StorageFull"
  std::string path;   // as the program named it, as far as that is known
  std::string cause;
};

// Each text is cut at 1 KiB. No secret may be in them.
void NoteTrouble(std::string_view error, std::string_view path, std::string_view cause);
// Oldest first, at most kMostTroubles.
std::vector<Trouble> RecentTroubles();

}  // namespace amphora
