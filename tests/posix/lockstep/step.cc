#include "tests/posix/lockstep/step.h"

namespace amphora::lockstep {

std::string RandomPath(Random& random) {
  static constexpr const char* kNames[] = {"a", "b", "c", "d"};
  if (random.OneIn(40)) {
    static const std::string kOdd[] = {"",
                                       ".",
                                       "a/./b",
                                       "a/.",
                                       "a/..",
                                       "b/",
                                       "a/b/",
                                       "./c",
                                       std::string(255, 'n'),
                                       std::string(256, 'n'),
                                       "a/" + std::string(255, 'm')};
    return random.Of(kOdd);
  }
  static constexpr int kDepths[] = {1, 1, 2, 2, 3};
  std::string path = random.Of(kNames);
  for (int depth = random.Of(kDepths); depth > 1; --depth) {
    path += "/";
    path += random.Of(kNames);
  }
  return path;
}

mode_t RandomMode(Random& random) {
  static constexpr mode_t kModes[] = {0644,  0755,  0777,  0600, 0000,  01777, 02755,
                                      04755, 06755, 02777, 0666, 02745, 0444};
  return random.Of(kModes);
}

Step MakeStep(std::uint64_t seed, std::uint64_t number) {
  Random random(seed, number);
  static constexpr uid_t kUsers[] = {0, 0, 0, 1001, 1002};
  static constexpr mode_t kUmasks[] = {022, 022, 0, 077, 027};
  const uid_t user = random.Of(kUsers);
  const mode_t umask = random.Of(kUmasks);
  const std::uint64_t family = random.Below(100);
  Step step = family < 30   ? MakeNameStep(random)
              : family < 75 ? MakeFileStep(random, number)
                            : MakeAttributeStep(random, seed);
  step.user = user;
  step.umask = umask;
  return step;
}

}  // namespace amphora::lockstep
