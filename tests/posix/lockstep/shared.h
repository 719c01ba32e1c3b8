// What several processes do to the same names of the mount at once, and what must hold whoever
// comes first:
//  - of those who make a name with O_EXCL, mkdir or link one wins, and of those who remove it one;
//  - a file that takes a name by rename is whole whenever it is read, old or new;
//  - records appended with O_APPEND are all there at the end, each whole;
//  - a listing names what stays there all the time exactly once.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace amphora::lockstep {

// What the processes count together, in memory that they share.
struct Counters;

class Shared {
 public:
  Shared(const std::string& mount, unsigned processes);
  ~Shared();
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  // 0, or 1 after a line about what did not hold. In any process, on behalf of number `process`.
  int Work(unsigned process, std::uint64_t rounds);
  // At the end, in one process.
  int Check();

 private:
  bool Race(unsigned process, std::uint64_t round);
  bool Replace(unsigned process, std::uint64_t round);
  bool Append(unsigned process, std::uint64_t round);
  bool List();

  const std::string folder_;
  const unsigned processes_;
  Counters* counters_ = nullptr;
};

}  // namespace amphora::lockstep
