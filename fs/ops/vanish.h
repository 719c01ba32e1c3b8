// Vanishing: an implicit directory (one that came with a deeper key) goes when its last key goes.
// It is an rmdir, one transaction a level, each under the guard rule (hazards 4.3). Blocking,
// thread-safe.
#pragma once

#include "fs/types.h"

namespace amphora::fs {

class Core;

// Removes `directory` if it is implicit and empty, then its parent likewise, and so on up to the
// bucket. What can't be done now (a conflict that lasts, an error of the store) is done at the next
// start: the caller wrote the VanishingKey row of `directory` with the removal that may have
// emptied it.
void VanishUpwards(Core& core, OriginId origin, InodeId directory);

// At start-up: goes on with what a crash interrupted.
Status VanishAll(Core& core);

}  // namespace amphora::fs
