// How a command ends: its exit code, or a failure that is told in one line. Values; thread-safe.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "meta/base/error.h"

namespace amphora::cli {

// design: 0 done, 1 failed, 2 used wrongly, 3 no daemon.
enum class ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2, kNoDaemon = 3 };

struct Failure {
  ExitCode code = ExitCode::kFailed;
  std::string text;  // one line, names the culprit, without "amphora: "
};

template <typename T>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> Fail(std::string text, ExitCode code = ExitCode::kFailed) {
  return std::unexpected(Failure{code, std::move(text)});
}
inline std::unexpected<Failure> UsageError(std::string text) {
  return Fail(std::move(text), ExitCode::kUsage);
}
// "cannot WHAT: the name is taken (detail)".
std::unexpected<Failure> FailWith(const std::string& what, const Error& error);

}  // namespace amphora::cli
