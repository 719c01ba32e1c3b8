#include "meta/base/failpoint.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace amphora {
namespace {

enum class Kind { kOff, kFail, kSleep, kExit, kSkip };

struct Action {
  Kind kind = Kind::kOff;
  int argument = 0;
  std::uint64_t first = 1;          // acts from this visit …
  std::uint64_t last = UINT64_MAX;  // … to this one
};

struct Point {
  Action action;
  std::uint64_t visits = 0;
};

std::mutex g_mutex;
std::map<std::string, Point, std::less<>>& Points() {
  static std::map<std::string, Point, std::less<>> points;
  return points;
}
std::atomic<int> g_armed{0};

bool TakeNumber(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<Action> Parse(std::string_view text) {
  Action action;
  std::uint64_t number = 0;
  if (const auto star = text.find('*'); star != std::string_view::npos) {
    if (!TakeNumber(text.substr(0, star), number)) return std::nullopt;
    action.last = number;
    text.remove_prefix(star + 1);
  }
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    if (!TakeNumber(text.substr(at + 1), number)) return std::nullopt;
    action.first = action.last = number;
    text = text.substr(0, at);
  }
  std::string_view verb = text;
  if (const auto open = text.find('('); open != std::string_view::npos) {
    if (!text.ends_with(')')) return std::nullopt;
    if (!TakeNumber(text.substr(open + 1, text.size() - open - 2), number)) return std::nullopt;
    if (number > 600'000) return std::nullopt;
    action.argument = static_cast<int>(number);
    verb = text.substr(0, open);
  }
  if (verb == "off") {
    action.kind = Kind::kOff;
  } else if (verb == "fail") {
    action.kind = Kind::kFail;
  } else if (verb == "sleep") {
    action.kind = Kind::kSleep;
  } else if (verb == "exit") {
    action.kind = Kind::kExit;
  } else if (verb == "skip") {
    action.kind = Kind::kSkip;
  } else {
    return std::nullopt;
  }
  // An errno is below 4096 on Linux; anything else is a slip.
  if (action.kind == Kind::kFail && action.argument > 4095) return std::nullopt;
  return action;
}

// The action that this visit of `name` meets; none when it is for the other kind of seam.
std::optional<Action> Visit(std::string_view name, bool skips) {
  std::lock_guard lock(g_mutex);
  const auto it = Points().find(name);
  if (it == Points().end() || (it->second.action.kind == Kind::kSkip) != skips) return std::nullopt;
  const std::uint64_t visit = ++it->second.visits;
  const Action action = it->second.action;
  if (visit < action.first || visit > action.last) return std::nullopt;
  return action;
}

}  // namespace

bool ArmFailpoint(std::string_view name, std::string_view action) {
  const std::optional<Action> parsed = Parse(action);
  if (!parsed || name.empty()) return false;
  std::lock_guard lock(g_mutex);
  Points()[std::string(name)] = Point{*parsed, 0};
  g_armed.store(1);
  return true;
}

void DisarmAllFailpoints() {
  std::lock_guard lock(g_mutex);
  Points().clear();
  g_armed.store(0);
}

std::string ArmFailpointsFromEnvironment() {
  std::string refused;
  const char* value = std::getenv("AMPHORA_FAILPOINTS");
  std::string_view rest = value == nullptr ? "" : value;
  while (!rest.empty()) {
    const auto end = rest.find(';');
    const std::string_view item = rest.substr(0, end);
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    if (item.empty()) continue;
    const auto equals = item.find('=');
    const bool armed = equals != std::string_view::npos &&
                       ArmFailpoint(item.substr(0, equals), item.substr(equals + 1));
    if (!armed && refused.empty()) refused = item;
  }
  return refused;
}

std::uint64_t FailpointVisits(std::string_view name) {
  std::lock_guard lock(g_mutex);
  const auto it = Points().find(name);
  return it == Points().end() ? 0 : it->second.visits;
}

namespace internal {

bool AnyFailpointArmed() { return g_armed.load(std::memory_order_relaxed) != 0; }

Status VisitFailpoint(std::string_view name) {
  const std::optional<Action> action = Visit(name, false);
  if (!action) return Ok();
  switch (action->kind) {
    case Kind::kOff:
    case Kind::kSkip:
      return Ok();
    case Kind::kFail:
      return Error::FromErrno(action->argument == 0 ? EIO : action->argument, "failpoint");
    case Kind::kSleep:
      std::this_thread::sleep_for(std::chrono::milliseconds(action->argument));
      return Ok();
    case Kind::kExit:
      _exit(137);
  }
  return Ok();
}

bool VisitSkip(std::string_view name) { return Visit(name, true).has_value(); }

}  // namespace internal
}  // namespace amphora
