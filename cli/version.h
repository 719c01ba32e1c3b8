// This build's version. Set by CMake from the project's.
#pragma once

namespace amphora::cli {

extern const char* const kVersion;  // "0.1.0"

}  // namespace amphora::cli
