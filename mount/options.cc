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
    {"passthrough", &MountOptions::use_passthrough, true},
    {"nopassthrough", &MountOptions::use_passthrough, false},
    {"io_uring", &MountOptions::use_io_uring, true},
    {"noio_uring", &MountOptions::use_io_uring, false},
    {"locks=shared", &MountOptions::shared_locks, true},
    {"locks=local", &MountOptions::shared_locks, false},
    // What mount(8), fstab(5) and systemd add on their own.
    {"defaults", nullptr, true},
    {"auto", nullptr, true},
    {"noauto", nullptr, true},
    {"_netdev", nullptr, true},
    {"nofail", nullptr, true},
    {"user", nullptr, true},
    {"users", nullptr, true},
    {"nouser", nullptr, true},
    {"async", nullptr, true},
    {"relatime", &MountOptions::relatime, true},
    {"noatime", &MountOptions::relatime, false},
    {"nodiratime", nullptr, true},  // reading never moves a directory's
    {"default_permissions", nullptr, true},
};

constexpr unsigned kMostThreads = 256;
constexpr std::uint32_t kMostId = UINT32_MAX - 1;  // the last one means "none" to chown(2)
constexpr std::uint32_t kMostUmask = 0777;

// "NAME=NUMBER". False when the word is another one, or its number is none.
template <typename Number, typename Field>
bool TakeNumber(std::string_view word, std::string_view name, int base, Number most, Field& field) {
  if (!word.starts_with(name)) return false;
  word.remove_prefix(name.size());
  Number number = 0;
  const char* const end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, number, base);
  if (error != std::errc() || stopped != end || number > most) return false;
  field = number;
  return true;
}

bool TakeNumbers(std::string_view word, MountOptions& options) {
  return TakeNumber(word, "threads=", 10, kMostThreads, options.threads) ||
         TakeNumber(word, "uid=", 10, kMostId, options.uid) ||
         TakeNumber(word, "gid=", 10, kMostId, options.gid) ||
         TakeNumber(word, "umask=", 8, kMostUmask, options.umask);
}

bool TakeAllowOther(std::string_view word, MountOptions& options) {
  if (word != "allow_other" && word != "noallow_other") return false;
  options.allow_other = word == "allow_other";
  return true;
}

bool TakeWord(std::string_view word, MountOptions& options) {
  for (const Word& known : kWords) {
    if (known.name != word) continue;
    if (known.field != nullptr) options.*known.field = known.value;
    return true;
  }
  // Comments of mount(8) and systemd: "x-systemd.automount" and the like.
  return word.empty() || word.starts_with("x-") || TakeAllowOther(word, options) ||
         TakeNumbers(word, options);
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
