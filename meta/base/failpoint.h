// Named seams where tests delay, fail or stop the process: Failpoint("fs.put.before_commit").
// Compiled out unless AMPHORA_FAILPOINTS is defined; costs one relaxed load when none is armed.
// Armed by tests through ArmFailpoint, or by the environment AMPHORA_FAILPOINTS="name=action;…".
// Actions: "off", "fail" (returns kIo), "fail(errno)", "sleep(milliseconds)", "exit" (_exit(137)),
// "skip" (the step is left out and said to be done, where the seam asks FailpointSkips),
// each optionally counted: "3*fail" acts on the first three visits only, "exit@5" acts on the
// fifth. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "meta/base/result.h"

namespace amphora {

// False when `action` can't be parsed; then nothing changes.
bool ArmFailpoint(std::string_view name, std::string_view action);
void DisarmAllFailpoints();
// Reads the environment variable; called once by main. Answers the first item that can't be parsed,
// for a message; empty when all could. The other items are armed.
std::string ArmFailpointsFromEnvironment();
// How often a failpoint was visited since it was armed.
std::uint64_t FailpointVisits(std::string_view name);

// Whether this program has failpoints; without them the functions above arm what is never visited.
#ifdef AMPHORA_FAILPOINTS
inline constexpr bool kHasFailpoints = true;
#else
inline constexpr bool kHasFailpoints = false;
#endif

namespace internal {
bool AnyFailpointArmed();
Status VisitFailpoint(std::string_view name);
bool VisitSkip(std::string_view name);
}  // namespace internal

// A failpoint's name on its way to the function that visits it, converted from a literal. Empty in
// a program without failpoints: so none of their names stays in it.
class FailpointName {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): it is written like the literal that Failpoint
  // takes
  constexpr FailpointName([[maybe_unused]] const char* name) {
    if constexpr (kHasFailpoints) name_ = name;
  }
  constexpr operator std::string_view() const {
    return name_;
  }  // NOLINT(google-explicit-constructor)

 private:
  std::string_view name_;
};

inline Status Failpoint([[maybe_unused]] std::string_view name) {
#ifdef AMPHORA_FAILPOINTS
  if (internal::AnyFailpointArmed()) return internal::VisitFailpoint(name);
#endif
  return Ok();
}

// Whether the step that follows is to be left out: how a test proves that it would notice a promise
// that is not kept. Only steps that wait for the disk ask. A visit counts once, here or in
// Failpoint, whichever the action is for.
inline bool FailpointSkips([[maybe_unused]] std::string_view name) {
#ifdef AMPHORA_FAILPOINTS
  if (internal::AnyFailpointArmed()) return internal::VisitSkip(name);
#endif
  return false;
}

}  // namespace amphora
