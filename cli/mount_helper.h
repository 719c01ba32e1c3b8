// The program as mount(8) calls it for the type fuse.amphora: by the name mount.fuse.amphora (or
// mount.amphora), a link to `amphora`, with mount(8)'s own arguments (mount(8): external helpers).
// Pure functions; thread-safe.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/outcome.h"

namespace amphora::cli {

// Whether argv[0] is one of these names, with or without a path before it.
bool IsMountHelper(const std::string& program);

// The arguments of `amphora` that do what mount(8) asks by `arguments` (without argv[0]); none:
// there is nothing to do (-f). "socket=PATH" among the options becomes --socket. The source is a
// path of the store, with "amphora:" before it or not; "amphora" and "none" stand for the whole
// store.
Outcome<std::vector<std::string>> TranslateMountArguments(std::span<const std::string> arguments);

}  // namespace amphora::cli
