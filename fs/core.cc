#include "fs/core.h"

#include "fs/bucket_cache.h"
#include "fs/bucket_states.h"
#include "fs/change_hub.h"
#include "fs/credential_cache.h"
#include "fs/data/blob_store.h"
#include "fs/data/collector.h"
#include "fs/data/joiner.h"
#include "fs/data/live.h"
#include "fs/data/part_places.h"
#include "fs/data/space_guard.h"
#include "fs/data_directory.h"
#include "fs/removed_directories.h"

namespace amphora::fs {

Core::Core() = default;
Core::~Core() = default;

void Core::Publish(const std::vector<Change>& published) { changes->Publish(published); }

Result<InodeId> Core::NewInodeId() {
  constexpr std::uint64_t kRowBytes =
      2048;  // rows of a new name: in the log, and once more in a table
  AMPHORA_TRY(space->Admit(kRowBytes));
  AMPHORA_ASSIGN(const std::uint64_t id, inode_ids->Next());
  return InodeId(id);
}

}  // namespace amphora::fs
