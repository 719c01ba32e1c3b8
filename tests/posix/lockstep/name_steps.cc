// Names: making, removing, moving and linking, reading directories.
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "tests/posix/lockstep/step.h"

namespace amphora::lockstep {
namespace {

Step Mkdir(Random& random) {
  const std::string path = RandomPath(random);
  const mode_t mode = RandomMode(random);
  return {.text = "mkdir " + path + " mode " + std::to_string(mode),
          .paths = {path},
          .run = [=](Side& side) { return OutcomeOf(mkdirat(side.root(), path.c_str(), mode)); }};
}

Step Mknod(Random& random) {
  static constexpr mode_t kKinds[] = {S_IFIFO, S_IFSOCK, S_IFREG, S_IFCHR, S_IFBLK};
  const std::string path = RandomPath(random);
  const mode_t kind = random.Of(kKinds);
  const mode_t mode = kind | RandomMode(random);
  const dev_t device = S_ISCHR(kind) || S_ISBLK(kind) ? makedev(random.Below(300), 77) : 0;
  return {.text = "mknod " + path, .paths = {path}, .run = [=](Side& side) {
            return OutcomeOf(mknodat(side.root(), path.c_str(), mode, device));
          }};
}

Step Remove(Random& random) {
  const std::string path = RandomPath(random);
  const int flags = random.OneIn(3) ? AT_REMOVEDIR : 0;
  return {.text = (flags != 0 ? "rmdir " : "unlink ") + path,
          .paths = {path},
          .run = [=](Side& side) { return OutcomeOf(unlinkat(side.root(), path.c_str(), flags)); }};
}

Step Rename(Random& random) {
  static constexpr unsigned kFlags[] = {
      0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE | RENAME_NOREPLACE};
  const std::string from = RandomPath(random), to = RandomPath(random);
  const unsigned flags = random.Of(kFlags);
  return {.text = "rename " + from + " " + to + " flags " + std::to_string(flags),
          .paths = {from, to},
          .run = [=](Side& side) {
            Outcome outcome =
                OutcomeOf(renameat2(side.root(), from.c_str(), side.root(), to.c_str(), flags));
            // Over a directory that is not empty, ext4 says the one and XFS the other.
            if (flags == 0 && outcome.error == EEXIST) outcome.error = ENOTEMPTY;
            return outcome;
          }};
}

Step Link(Random& random) {
  const std::string from = RandomPath(random), to = RandomPath(random);
  const int flags = random.OneIn(3) ? AT_SYMLINK_FOLLOW : 0;
  return {.text = "link " + from + " " + to + " flags " + std::to_string(flags),
          .paths = {from, to},
          .run = [=](Side& side) {
            return OutcomeOf(linkat(side.root(), from.c_str(), side.root(), to.c_str(), flags));
          }};
}

// Gives a file of O_TMPFILE a name; others get a further one.
Step LinkOpenFile(Random& random) {
  const std::size_t slot = random.Below(kSlots);
  const std::string to = RandomPath(random);
  return {.text = "link slot " + std::to_string(slot) + " " + to,
          .paths = {to},
          .slot = static_cast<int>(slot),
          .run = [=](Side& side) {
            const std::string from = "/proc/self/fd/" + std::to_string(side.descriptor(slot));
            return OutcomeOf(
                linkat(AT_FDCWD, from.c_str(), side.root(), to.c_str(), AT_SYMLINK_FOLLOW));
          }};
}

Step Symlink(Random& random) {
  const std::string target = RandomPath(random), path = RandomPath(random);
  return {.text = "symlink to " + target + " at " + path, .paths = {path}, .run = [=](Side& side) {
            return OutcomeOf(symlinkat(target.c_str(), side.root(), path.c_str()));
          }};
}

Step ReadLink(Random& random) {
  const std::string path = RandomPath(random);
  const std::size_t room = random.OneIn(4) ? 3 : 4096;
  return {.text = "readlink " + path, .paths = {}, .run = [=](Side& side) {
            char target[4096];
            Outcome outcome = OutcomeOf(readlinkat(side.root(), path.c_str(), target, room));
            if (outcome.value > 0) {
              outcome.data.assign(target, static_cast<std::size_t>(outcome.value));
            }
            return outcome;
          }};
}

Step List(Random& random) {
  const std::string path = RandomPath(random);
  return {.text = "list " + path, .paths = {}, .run = [=](Side& side) { return side.List(path); }};
}

}  // namespace

Step MakeNameStep(Random& random) {
  const std::uint64_t choice = random.Below(100);
  if (choice < 20) return Mkdir(random);
  if (choice < 26) return Mknod(random);
  if (choice < 46) return Remove(random);
  if (choice < 66) return Rename(random);
  if (choice < 78) return Link(random);
  if (choice < 82) return LinkOpenFile(random);
  if (choice < 90) return Symlink(random);
  if (choice < 94) return ReadLink(random);
  return List(random);
}

}  // namespace amphora::lockstep
