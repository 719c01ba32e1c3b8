#include "meta/base/trouble.h"

#include <deque>
#include <mutex>

namespace amphora {
namespace {

constexpr std::size_t kMostTextBytes = 1024;

struct Troubles {
  std::mutex mutex;
  std::deque<Trouble> last;  // guarded by mutex
};

// Never destroyed: threads may fail while the process exits.
Troubles& All() {
  static Troubles& all = *new Troubles;
  return all;
}

}  // namespace

void NoteTrouble(std::string_view error, std::string_view path, std::string_view cause) {
  Trouble trouble{Time::Now(), std::string(error.substr(0, kMostTextBytes)),
                  std::string(path.substr(0, kMostTextBytes)),
                  std::string(cause.substr(0, kMostTextBytes))};
  Troubles& all = All();
  std::lock_guard lock(all.mutex);
  if (all.last.size() >= kMostTroubles) all.last.pop_front();
  all.last.push_back(std::move(trouble));
}

std::vector<Trouble> RecentTroubles() {
  Troubles& all = All();
  std::lock_guard lock(all.mutex);
  return {all.last.begin(), all.last.end()};
}

}  // namespace amphora
