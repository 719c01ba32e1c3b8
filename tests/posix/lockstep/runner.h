// Does the same steps on both sides and compares after every one: the answer, the attributes and
// the content of what it touched, how their times moved; now and then the whole tree. On a
// difference finds a short list of steps that shows it too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace amphora::lockstep {

struct Difference {
  std::uint64_t step = 0;
  std::string text;
  std::string kind;  // of the step and of what differs, so that shrinking does not end at another
};

struct Folders {
  std::string mount;
  std::string reference;
};

// Works in fresh directories of both folders. Steps are done in the order of `numbers`.
std::optional<Difference> Run(const Folders& folders, std::uint64_t seed,
                              const std::vector<std::uint64_t>& numbers);

// The steps of `numbers` without which no difference of this kind shows any more.
std::vector<std::uint64_t> Shrink(const Folders& folders, std::uint64_t seed,
                                  const std::string& kind, std::vector<std::uint64_t> numbers);

}  // namespace amphora::lockstep
