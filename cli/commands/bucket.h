// What the commands of `amphora bucket` share.
#pragma once

#include <string>

#include "cli/commands/command.h"

namespace amphora::cli {

// Of the control socket.
std::string BucketTarget(const StorePath& path);

void AddBucketSet(Program& program, CLI::App& parent);

}  // namespace amphora::cli
