// What older builds did not write is made good when their store is opened: fs/engine.h lists the
// formats. One thread, before anything else uses the store.
#pragma once

#include "fs/types.h"

namespace amphora::fs {

class Core;

// Makes the store one of kStoreFormat and says so in one log line; then older builds refuse it.
// Nothing to do for one that is. A crash on the way is made good by the next opening.
Status UpgradeStore(Core& core);

}  // namespace amphora::fs
