// The parts of an open engine, built once by Engine::Open and handed to every operation. Not part
// of the face: only fs/ includes this.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "fs/engine.h"
#include "fs/ids.h"
#include "fs/tx.h"
#include "meta/kv.h"
#include "meta/run.h"

namespace amphora::fs {

class BlobStore;
class BucketCache;
class BucketStates;
class ChangeHub;
class Collector;
class CredentialCache;
class Joiner;
class LiveTable;
class PartPlaces;
class DataDirectory;
class RemovedDirectories;
class SpaceGuard;

class Core {
 public:
  Core();
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  EngineOptions options;
  // In order of construction; destroyed in reverse.
  std::unique_ptr<DataDirectory> directory;  // its lock and format
  std::unique_ptr<SpaceGuard> space;         // what is kept of the disk
  std::unique_ptr<meta::Store> store;
  std::unique_ptr<IdSource> inode_ids;
  std::unique_ptr<IdSource> blob_ids;
  std::unique_ptr<StampSource> stamps;
  std::unique_ptr<ChangeHub> changes;
  std::unique_ptr<DirectoryCache> directories;
  std::unique_ptr<RemovedDirectories> removed;
  std::unique_ptr<BucketCache> buckets;
  std::unique_ptr<BucketStates> bucket_states;  // settings, and the ledger of quotas
  std::unique_ptr<CredentialCache> credentials;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<LiveTable> live;
  std::unique_ptr<PartPlaces> part_places;
  std::unique_ptr<Collector> collector;
  std::unique_ptr<Joiner> joiner;

  // Runs `body(Tx&)` in a transaction until it commits, then publishes its changes. Holds no engine
  // lock while publishing. kQuotaExceeded when it would grow a bucket beyond its quota.
  template <typename Body>
  auto Run(OriginId origin, Body&& body)
      -> Result<meta::Committed<typename std::invoke_result_t<Body&, Tx&>::value_type>> {
    std::vector<Change> published;
    DirectoryCache::Changes changed(*directories);
    UsageClaim claim(*bucket_states);
    auto committed = meta::Transact(*store, [&](meta::Transaction& kv) {
      changed.Abandon();  // what an earlier run announced
      Tx tx(*this, kv, origin, changed);
      auto answer = body(tx);
      if (answer.ok()) {
        if (const Status taken = claim.Take(tx.usage()); !taken.ok()) {
          return decltype(answer)(taken.error());
        }
      }
      published = tx.TakeChanges();
      return answer;
    });
    if (committed.ok()) {
      claim.Committed();
      changed.Committed();
      Publish(published);
    }
    return committed;
  }

  void Publish(const std::vector<Change>& published);
  // Also where a full disk refuses new names: every one of them begins with an inode.
  Result<InodeId> NewInodeId();
};

}  // namespace amphora::fs
