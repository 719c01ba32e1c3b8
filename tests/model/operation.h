// The operations of the model test as text: one line each, so that a failing sequence can be
// printed, kept in regressions/ and run again. Words are separated by one space and
// percent-encoded; "%" alone is the empty word.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/model/reference.h"

namespace amphora::model {

// verb, bucket, then what the verb needs (see runner.cc's table).
struct Operation {
  std::vector<std::string> words;
};
std::string ToText(const Operation& operation);
Operation ParseOperation(std::string_view line);

// "c100" is a hundred times 'c'; "-" is nothing.
std::string ContentOf(const std::string& word);

// The state that a random operation is made for: it aims at what is there, most of the time.
struct Scene {
  std::vector<Bucket*> buckets;  // by number; null: not there
};
Operation RandomOperation(std::mt19937_64& random, const Scene& scene);

}  // namespace amphora::model
