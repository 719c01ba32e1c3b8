// The open-for-write row ('W'): the blob that POSIX writers write in place, so that recovery looks
// at it.
#pragma once

#include <string>
#include <string_view>

#include "fs/types.h"

namespace amphora::fs {

std::string EncodeOpenRow(BlobId blob);
Result<BlobId> DecodeOpenRow(std::string_view bytes);

}  // namespace amphora::fs
