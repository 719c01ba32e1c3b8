// Open files: their bytes, size and holes.
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tests/posix/lockstep/step.h"

namespace amphora::lockstep {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMostBytes = 200 << 10;

struct Range {
  off_t offset = 0;
  std::size_t length = 0;
};

// Small ones mostly; some beyond what is kept inline, few sparse.
Range RandomRange(Random& random) {
  static constexpr std::uint64_t kOffsets[] = {1, 100, 5000, 70'000, 300'000};
  static constexpr std::uint64_t kLengths[] = {10, 100, 5000, 70'000, kMostBytes};
  Range range{static_cast<off_t>(random.Below(random.Of(kOffsets))),
              1 + random.Below(random.Of(kLengths))};
  if (random.OneIn(40)) range.offset += 1 << 30;
  return range;
}

Range Aligned(Range range) {
  range.offset = range.offset / static_cast<off_t>(kPage) * static_cast<off_t>(kPage);
  range.length = (range.length + kPage - 1) / kPage * kPage;
  return range;
}

struct Free {
  void operator()(char* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<char, Free>;

Memory Pattern(std::uint64_t number, std::size_t length) {
  Memory memory(static_cast<char*>(std::aligned_alloc(kPage, (length / kPage + 1) * kPage)));
  for (std::size_t i = 0; i < length; ++i) {
    memory.get()[i] = static_cast<char>('!' + (number * 7 + i * (1 + i / 251)) % 90);
  }
  return memory;
}

std::string Text(const char* what, std::size_t slot, const Range& range) {
  return std::string(what) + " slot " + std::to_string(slot) + " at " +
         std::to_string(range.offset) + " length " + std::to_string(range.length);
}

Step Open(Random& random) {
  static constexpr int kAccess[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR};
  static constexpr int kExtra[] = {
      0,          0,           O_CREAT,          O_CREAT,           O_CREAT, O_CREAT,
      O_TRUNC,    O_APPEND,    O_CREAT | O_EXCL, O_CREAT | O_TRUNC, O_DSYNC, O_SYNC,
      O_NOFOLLOW, O_DIRECTORY, O_TMPFILE,        O_DIRECT};
  const std::string path = RandomPath(random);
  const std::size_t slot = random.Below(kSlots);
  const int flags = random.Of(kAccess) | random.Of(kExtra);
  const mode_t mode = RandomMode(random);
  char text[80];
  std::snprintf(text, sizeof text, " flags %#o mode %o", flags, mode);
  return {.text = "open slot " + std::to_string(slot) + " " + path + text,
          .paths = {path},
          .run = [=](Side& side) {
            side.Close(slot);
            const int opened =
                openat(side.root(), path.c_str(), flags | O_NONBLOCK | O_CLOEXEC, mode);
            const Outcome outcome = OutcomeOf(opened);
            side.slot(slot) = {opened, (flags & O_DIRECT) == O_DIRECT};
            return Outcome{opened < 0 ? -1 : 0, outcome.error, {}};
          }};
}

Step Close(Random& random) {
  const std::size_t slot = random.Below(kSlots);
  return {.text = "close slot " + std::to_string(slot), .paths = {}, .run = [=](Side& side) {
            side.Close(slot);
            return Outcome{};
          }};
}

Step Write(Random& random, std::uint64_t number) {
  const std::size_t slot = random.Below(kSlots);
  const Range asked = RandomRange(random);
  return {
      .text = Text("write", slot, asked),
      .paths = {},
      .slot = static_cast<int>(slot),
      .run = [=](Side& side) {
        const Range range = side.slot(slot).direct ? Aligned(asked) : asked;
        const Memory bytes = Pattern(number, range.length);
        return OutcomeOf(pwrite(side.descriptor(slot), bytes.get(), range.length, range.offset));
      }};
}

Step Read(Random& random) {
  const std::size_t slot = random.Below(kSlots);
  const Range asked = RandomRange(random);
  return {.text = Text("read", slot, asked), .paths = {}, .run = [=](Side& side) {
            const Range range = side.slot(slot).direct ? Aligned(asked) : asked;
            const Memory bytes = Pattern(0, range.length);
            Outcome outcome =
                OutcomeOf(pread(side.descriptor(slot), bytes.get(), range.length, range.offset));
            if (outcome.value > 0) {
              outcome.data =
                  std::to_string(Checksum({bytes.get(), static_cast<std::size_t>(outcome.value)}));
            }
            return outcome;
          }};
}

Step Truncate(Random& random) {
  const std::size_t slot = random.Below(kSlots);
  const std::string path = RandomPath(random);
  const off_t size = random.OneIn(4) ? 0 : RandomRange(random).offset;
  if (random.OneIn(2)) {
    return {.text = "truncate " + path + " to " + std::to_string(size),
            .paths = {path},
            .run = [=](Side& side) {
              return OutcomeOf(truncate((side.path() + "/" + path).c_str(), size));
            }};
  }
  return {.text = "ftruncate slot " + std::to_string(slot) + " to " + std::to_string(size),
          .paths = {},
          .slot = static_cast<int>(slot),
          .run = [=](Side& side) { return OutcomeOf(ftruncate(side.descriptor(slot), size)); }};
}

Step Allocate(Random& random) {
  static constexpr int kModes[] = {0,
                                   FALLOC_FL_KEEP_SIZE,
                                   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                   FALLOC_FL_ZERO_RANGE,
                                   FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
                                   FALLOC_FL_PUNCH_HOLE};
  const std::size_t slot = random.Below(kSlots);
  const Range range = RandomRange(random);
  const int mode = random.Of(kModes);
  return {.text = Text("fallocate", slot, range) + " mode " + std::to_string(mode),
          .paths = {},
          .slot = static_cast<int>(slot),
          .run = [=](Side& side) {
            return OutcomeOf(fallocate(side.descriptor(slot), mode, range.offset,
                                       static_cast<off_t>(range.length)));
          }};
}

// Where data and holes are is the file system's own affair. What is promised: ENXIO at the end and
// behind it, a position not before the one asked for, and nothing but zeros in what is called a
// hole.
Step Seek(Random& random) {
  const std::size_t slot = random.Below(kSlots);
  const off_t offset = RandomRange(random).offset;
  const int whence = random.OneIn(2) ? SEEK_DATA : SEEK_HOLE;
  return {.text = "seek slot " + std::to_string(slot) + (whence == SEEK_DATA ? " data" : " hole") +
                  " from " + std::to_string(offset),
          .paths = {},
          .run = [=](Side& side) {
            struct stat found;
            const int descriptor = side.descriptor(slot);
            if (fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode)) return Outcome{};
            const off_t at = lseek(descriptor, offset, whence);
            if (offset >= found.st_size) return OutcomeOf(at);
            const off_t end = at < 0 ? found.st_size : at;
            bool right = at < 0 ? whence == SEEK_DATA && errno == ENXIO : at >= offset;
            right = right && end <= found.st_size;
            if (whence == SEEK_DATA && !side.slot(slot).direct) {
              char byte = 0;
              for (off_t hole = offset; hole < std::min<off_t>(end, offset + 300); ++hole) {
                right = right && (pread(descriptor, &byte, 1, hole) != 1 || byte == 0);
              }
            }
            return Outcome{right ? 0 : at, 0, right ? "kept" : "broken"};
          }};
}

Step Copy(Random& random) {
  const std::size_t from = random.Below(kSlots), to = random.Below(kSlots);
  const Range source = RandomRange(random);
  const off_t target = RandomRange(random).offset;
  return {.text = Text("copy from", from, source) + " to slot " + std::to_string(to) + " at " +
                  std::to_string(target),
          .paths = {},
          .slot = static_cast<int>(to),
          .run = [=](Side& side) {
            // With O_DIRECT XFS wants it aligned to its disk.
            if (side.slot(from).direct || side.slot(to).direct) return Outcome{};
            // A copy may be short: go on until nothing comes.
            off64_t in = source.offset, out = target;
            Outcome outcome;
            long total = 0;
            for (std::size_t left = source.length; left > 0;) {
              outcome = OutcomeOf(
                  copy_file_range(side.descriptor(from), &in, side.descriptor(to), &out, left, 0));
              if (outcome.value <= 0) break;
              total += outcome.value;
              left -= static_cast<std::size_t>(outcome.value);
            }
            return Outcome{outcome.value < 0 ? outcome.value : total, outcome.error, {}};
          }};
}

Step Map(Random& random, std::uint64_t number) {
  const std::size_t slot = random.Below(kSlots);
  const Range range = RandomRange(random);
  const bool write = random.OneIn(2);
  const bool sync = random.OneIn(2);
  return {.text = Text(write ? "store by mmap" : "load by mmap", slot, range),
          .paths = {},
          .slot = static_cast<int>(slot),
          .run = [=](Side& side) {
            const int descriptor = side.descriptor(slot);
            struct stat found;
            if (fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode)) return Outcome{};
            if (side.slot(slot).direct || range.offset >= found.st_size) return Outcome{};
            const off_t start =
                range.offset / static_cast<off_t>(kPage) * static_cast<off_t>(kPage);
            const auto length = static_cast<std::size_t>(
                std::min<off_t>(found.st_size - start, static_cast<off_t>(kMostBytes)));
            void* memory = mmap(nullptr, length, write ? PROT_READ | PROT_WRITE : PROT_READ,
                                MAP_SHARED, descriptor, start);
            if (memory == MAP_FAILED) return OutcomeOf(-1);
            Outcome outcome;
            if (write) {
              const Memory bytes = Pattern(number, length);
              std::memcpy(memory, bytes.get(), std::min(length, range.length));
              if (sync) outcome = OutcomeOf(msync(memory, length, MS_SYNC));
            } else {
              outcome.data = std::to_string(Checksum({static_cast<char*>(memory), length}));
            }
            munmap(memory, length);
            return outcome;
          }};
}

Step Sync(Random& random) {
  const std::size_t slot = random.Below(kSlots);
  const bool data = random.OneIn(2);
  return {
      .text = (data ? "fdatasync slot " : "fsync slot ") + std::to_string(slot),
      .paths = {},
      .slot = static_cast<int>(slot),
      .run = [=](Side& side) {
        return OutcomeOf(data ? fdatasync(side.descriptor(slot)) : fsync(side.descriptor(slot)));
      }};
}

}  // namespace

Step MakeFileStep(Random& random, std::uint64_t number) {
  const std::uint64_t choice = random.Below(100);
  if (choice < 24) return Open(random);
  if (choice < 30) return Close(random);
  if (choice < 50) return Write(random, number);
  if (choice < 60) return Read(random);
  if (choice < 70) return Truncate(random);
  if (choice < 78) return Allocate(random);
  if (choice < 83) return Seek(random);
  if (choice < 90) return Copy(random);
  if (choice < 98) return Map(random, number);
  return Sync(random);
}

}  // namespace amphora::lockstep
