#include "cli/outcome.h"

namespace amphora::cli {

std::unexpected<Failure> FailWith(const std::string& what, const Error& error) {
  return Fail(what + ": " + error.ToString());
}

}  // namespace amphora::cli
