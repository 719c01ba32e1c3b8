// Names of the running store for shell completion: volumes, buckets and mount points, where a
// command's argument is one. Main's thread only.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/command.h"

namespace amphora::cli {

// Whether an argument of this command names something that the store has.
bool TakesNames(const CLI::App& command);

// What the last of `words` may go on as; those before it are the command line so far, without the
// program. A bucket is offered in two steps, as files are: first "/VOLUME/", to be gone on with.
// Nothing when no daemon answers within a second.
std::vector<std::string> CompleteNames(const CLI::App& program,
                                       const std::vector<std::string>& words);

}  // namespace amphora::cli
