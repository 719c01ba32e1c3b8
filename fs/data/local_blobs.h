// The local blob store: one file per blob on the disk of the data directory. See blob_store.h for
// what it promises.
#pragma once

#include <memory>
#include <string>

#include "fs/data/blob_store.h"
#include "fs/ids.h"

namespace amphora::fs {

// Opens or creates the store in `directory`. `blob_ids` must outlive it. The first Take() starts a
// background thread.
Result<std::unique_ptr<BlobStore>> OpenLocalBlobs(const std::string& directory, IdSource& blob_ids);

}  // namespace amphora::fs
