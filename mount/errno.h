// The one place where an engine error becomes an errno. Thread-safe.
#pragma once

#include "meta/base/error.h"

namespace amphora::mount {

// The errno that a POSIX program expects for `code`.
int ToErrno(ErrorCode code);
// The same, and EROFS where that is what the data directory's disk said.
int ToErrno(const Error& error);

}  // namespace amphora::mount
