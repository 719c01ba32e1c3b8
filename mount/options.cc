// The words of mount(8)'s -o.
#include <charconv>
#include <string_view>

#include "mount/session.h"

namespace amphora::mount {
namespace {

struct Word {
  std::string_view name;
  bool MountOptions::*field;  // null: accepted and without effect
  bool value;
};

constexpr Word kWords[] = {
    {"ro", &MountOptions::read_only, true},
    {"rw", &MountOptions::read_only, false},
    {"noexec", &MountOptions::noexec, true},
    {"exec", &MountOptions::noexec, false},
    {"nosuid", &MountOptions::nosuid, true},
    {"suid", &MountOptions::nosuid, false},
    {"nodev", &MountOptions::nodev, true},
    {"dev", &MountOptions::nodev, false},
    {"allow_other", &MountOptions::allow_other, true},
    {"noallow_other", &MountOptions::allow_other, false},
    {"passthrough", &MountOptions::use_passthrough, true},
    {"nopassthrough", &MountOptions::use_passthrough, false},
    {"io_uring", &MountOptions::use_io_uring, true},
    {"noio_uring", &MountOptions::use_io_uring, false},
    // What mount(8) and systemd add on their own.
    {"defaults", nullptr, true},
    {"auto", nullptr, true},
    {"noauto", nullptr, true},
    {"_netdev", nullptr, true},
    {"nofail", nullptr, true},
    {"relatime", nullptr, true},
    {"default_permissions", nullptr, true},
};

constexpr std::string_view kThreads = "threads=";
constexpr unsigned kMostThreads = 256;

bool TakeThreads(std::string_view word, MountOptions& options) {
  if (!word.starts_with(kThreads)) return false;
  word.remove_prefix(kThreads.size());
  unsigned number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number > kMostThreads) {
    return false;
  }
  options.threads = number;
  return true;
}

bool TakeWord(std::string_view word, MountOptions& options) {
  for (const Word& known : kWords) {
    if (known.name != word) continue;
    if (known.field != nullptr) options.*known.field = known.value;
    return true;
  }
  // Comments of mount(8) and systemd: "x-systemd.automount" and the like.
  return word.empty() || word.starts_with("x-") || TakeThreads(word, options);
}

}  // namespace

Status ParseMountOptions(const std::string& text, MountOptions& options, std::string& culprit) {
  MountOptions parsed = options;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    if (!TakeWord(word, parsed)) {
      culprit = word;
      return Error(ErrorCode::kInvalidArgument, "unknown mount option");
    }
  }
  options = parsed;
  return Ok();
}

}  // namespace amphora::mount
