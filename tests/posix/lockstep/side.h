// One of the two directory trees that the same steps are done on: the mount's, or the reference's.
// Single-threaded, as the whole program.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace amphora::lockstep {

inline constexpr std::size_t kSlots = 6;

// What a step answered: the return value, errno where it failed, and bytes or words it handed out.
struct Outcome {
  long value = 0;
  int error = 0;
  std::string data;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
std::string Describe(const Outcome& outcome);
// Of a system call's result, errno included.
Outcome OutcomeOf(long result);

// What lstat(2) shows and two file systems must agree on.
struct Attributes {
  mode_t mode = 0;
  nlink_t links = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  off_t size = 0;  // not of directories
  dev_t device = 0;
  friend bool operator==(const Attributes&, const Attributes&) = default;
};
std::string Describe(const std::optional<Attributes>& attributes);

// An open file's place in the table of both sides.
struct Slot {
  int descriptor = -1;
  bool direct = false;  // O_DIRECT: offsets, lengths and memory are aligned
};

class Side {
 public:
  // Makes the directory `name` below the folder `top`, and works in it.
  Side(const std::string& top, const std::string& name);
  ~Side();
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  int root() const { return root_; }
  const std::string& path() const { return path_; }
  Slot& slot(std::size_t index) { return slots_[index]; }
  int descriptor(std::size_t index) const { return slots_[index].descriptor; }
  void Close(std::size_t index);

  // By path, as root and without following a link; nullopt where there is nothing.
  std::optional<struct stat> Stat(const std::string& path) const;
  // Everything below the root, a line for each name: attributes, xattrs and content.
  std::vector<std::string> Tree() const;
  // Names and kinds, sorted.
  Outcome List(const std::string& path) const;

 private:
  std::string path_;
  int root_ = -1;
  std::array<Slot, kSlots> slots_;
};

Attributes ToAttributes(const struct stat& attributes);
// Of an open file, from its start; holes are not read. `limit` bytes at most.
std::string ReadAll(int descriptor, std::size_t limit);
// Every xattr of /proc/self/fd's file, sorted, as words.
std::string Xattrs(const std::string& path);
std::uint64_t Checksum(std::string_view bytes);

}  // namespace amphora::lockstep
