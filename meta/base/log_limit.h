// Log lines that an outside party can cause as often as it likes: refused connections, failed
// requests, failures that each of them meets again. A flood of them must not fill the disk. Of each
// kind kBurst lines may come at once, then one a second; the next one that is written says how many
// were left out before it. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "meta/base/clock.h"
#include "meta/base/log.h"

namespace amphora {

class LogLimit {
 public:
  static constexpr int kBurst = 20;
  static constexpr std::int64_t kPeriodNs = 1'000'000'000;
  // Kinds come from our own names for things; what is above this shares one allowance, so that a
  // slip there costs lines, not memory.
  static constexpr std::size_t kMostKinds = 512;

  using Clock = std::function<std::int64_t()>;  // nanoseconds; never goes back
  explicit LogLimit(Clock clock = MonotonicNow) : clock_(std::move(clock)) {}

  // None: the line is to be left out. Otherwise how many of its kind were, since the last one that
  // was not.
  std::optional<std::uint64_t> Admit(std::string_view kind);

 private:
  struct Kind {
    std::int64_t due = 0;  // when the allowance will be whole again
    std::uint64_t left_out = 0;
  };

  const Clock clock_;
  std::mutex mutex_;
  std::map<std::string, Kind, std::less<>> kinds_;  // guarded by mutex_
};

// Log within the limit of the whole process. `kind` is one of a few: an event's name, perhaps with
// a code, never a word of a client. A line is cut at 4 KiB.
void LogLimited(LogLevel level, std::string_view kind, std::string line);

}  // namespace amphora
