#include "cli/version.h"

namespace amphora::cli {

const char* const kVersion = AMPHORA_VERSION;

}  // namespace amphora::cli
