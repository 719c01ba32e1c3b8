// What the engine needs of volumes and buckets beyond its face.
#pragma once

#include "meta/base/result.h"

namespace amphora::fs {

class Core;

// Makes the store's root directory and the volume /s3v of a fresh store, durably; does nothing when
// they are there. Called by Engine::Open before anything else reads or writes names.
Status EnsureFirstRows(Core& core);

}  // namespace amphora::fs
