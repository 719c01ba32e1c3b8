// One step: an operation with all its parameters, made from the seed and the step's number alone,
// so that any subset of a run's steps can be done again.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/posix/lockstep/side.h"

namespace amphora::lockstep {

class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t step) : engine_(seed * 0x9E3779B97F4A7C15ULL + step) {
    engine_.discard(2);
  }
  // 0 to limit - 1.
  std::uint64_t Below(std::uint64_t limit) { return engine_() % limit; }
  bool OneIn(std::uint64_t limit) { return Below(limit) == 0; }
  template <typename Value, std::size_t kCount>
  const Value& Of(const Value (&values)[kCount]) {
    return values[Below(kCount)];
  }

 private:
  std::mt19937_64 engine_;
};

struct Step {
  std::string text;                // for people
  std::vector<std::string> paths;  // whose attributes and content it may change
  int slot = -1;                   // the open file it works on
  uid_t user = 0;                  // who does it
  mode_t umask = 022;
  std::function<Outcome(Side&)> run;
};

Step MakeStep(std::uint64_t seed, std::uint64_t number);

// The families that MakeStep chooses from; each in a file of its own.
Step MakeNameStep(Random& random);                           // name_steps.cc
Step MakeFileStep(Random& random, std::uint64_t number);     // file_steps.cc
Step MakeAttributeStep(Random& random, std::uint64_t seed);  // attribute_steps.cc

// A path of one to three short names, and rarely an odd one.
std::string RandomPath(Random& random);
mode_t RandomMode(Random& random);

}  // namespace amphora::lockstep
