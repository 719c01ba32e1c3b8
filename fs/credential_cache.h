// Access keys by id, so that checking a signature costs no store read. Thread-safe.
#pragma once

#include "fs/credentials.h"
#include "fs/read_cache.h"

namespace amphora::fs {

class CredentialCache final : public ReadCache<AccessKey> {};

}  // namespace amphora::fs
