#include "meta/base/log_limit.h"

#include <algorithm>
#include <utility>

namespace amphora {
namespace {

constexpr std::size_t kMostLineBytes = 4096;

// Never destroyed: threads may log while the process exits.
LogLimit& OfProcess() {
  static LogLimit& limit = *new LogLimit;
  return limit;
}

}  // namespace

std::optional<std::uint64_t> LogLimit::Admit(std::string_view kind) {
  const std::int64_t now = clock_();
  std::lock_guard lock(mutex_);
  auto found = kinds_.find(kind);
  if (found == kinds_.end()) {
    found =
        kinds_.try_emplace(kinds_.size() < kMostKinds ? std::string(kind) : std::string()).first;
  }
  Kind& known = found->second;
  // Each line moves `due` on by a period; it may be ahead of now by a burst.
  const std::int64_t due = std::max(known.due, now);
  if (due - now > (kBurst - 1) * kPeriodNs) {
    ++known.left_out;
    return std::nullopt;
  }
  known.due = due + kPeriodNs;
  return std::exchange(known.left_out, 0);
}

void LogLimited(LogLevel level, std::string_view kind, std::string line) {
  if (!LogEnabled(level)) return;
  const std::optional<std::uint64_t> left_out = OfProcess().Admit(kind);
  if (!left_out) return;
  if (line.size() > kMostLineBytes) line.resize(kMostLineBytes);
  if (*left_out > 0) AppendField(line, "left_out_before", *left_out);
  Log(level, line);
}

}  // namespace amphora
