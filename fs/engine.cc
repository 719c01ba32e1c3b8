// Opening, closing and waiting; the operations are in fs/ops and fs/data.
#include "fs/engine.h"

#include <condition_variable>
#include <mutex>

#include "fs/bucket_cache.h"
#include "fs/bucket_states.h"
#include "fs/buckets_internal.h"
#include "fs/change_hub.h"
#include "fs/core.h"
#include "fs/credential_cache.h"
#include "fs/data/collector.h"
#include "fs/data/joiner.h"
#include "fs/data/live.h"
#include "fs/data/local_blobs.h"
#include "fs/data/part_places.h"
#include "fs/data/space_guard.h"
#include "fs/data_directory.h"
#include "fs/keys.h"
#include "fs/ops/vanish.h"
#include "fs/removed_directories.h"
#include "fs/upgrade.h"
#include "meta/base/log.h"
#include "meta/rocks_store.h"

namespace amphora::fs {
namespace {

constexpr std::uint64_t kFirstInode = 16;  // below: reserved (1 is the store's root)
constexpr std::uint64_t kInodeStep = 1 << 16;
constexpr std::uint64_t kFirstBlob = 1;
constexpr std::uint64_t kBlobStep = 1024;
constexpr std::size_t kMaxInlineLimit = 64 << 10;

Status OpenStore(Core& core) {
  AMPHORA_ASSIGN(core.directory, DataDirectory::Open(core.options.data_directory));
  AMPHORA_ASSIGN(core.space, SpaceGuard::Open(core.options.data_directory));
  meta::RocksOptions rocks;
  rocks.directory = core.directory->meta_path();
  // What every path and stat asks for.
  rocks.cached_kinds = {static_cast<char>(RowKind::kDentry), static_cast<char>(RowKind::kInode)};
  AMPHORA_ASSIGN(core.store, meta::OpenRocksStore(rocks));
  core.space->Start();
  core.inode_ids = std::make_unique<IdSource>(*core.store, "inode", kFirstInode, kInodeStep);
  core.blob_ids = std::make_unique<IdSource>(*core.store, "blob", kFirstBlob, kBlobStep);
  core.stamps = std::make_unique<StampSource>(*core.store);
  AMPHORA_TRY(core.inode_ids->Open());
  AMPHORA_TRY(core.blob_ids->Open());
  return core.stamps->Open();
}

Status OpenParts(Core& core) {
  core.changes = std::make_unique<ChangeHub>();
  core.directories = std::make_unique<DirectoryCache>();
  core.removed = std::make_unique<RemovedDirectories>();
  core.buckets = std::make_unique<BucketCache>();
  core.bucket_states = std::make_unique<BucketStates>();
  core.credentials = std::make_unique<CredentialCache>();
  AMPHORA_TRY(EnsureFirstRows(core));
  AMPHORA_TRY(UpgradeStore(core));
  AMPHORA_ASSIGN(core.blobs, OpenLocalBlobs(core.directory->blobs_path(), *core.blob_ids));
  core.live = std::make_unique<LiveTable>(core);
  core.part_places = std::make_unique<PartPlaces>(core);
  core.collector = std::make_unique<Collector>(core);
  core.joiner = std::make_unique<Joiner>(core);
  AMPHORA_TRY(core.live->Recover());
  AMPHORA_TRY(VanishAll(core));
  AMPHORA_TRY(core.bucket_states->Load(*core.store));
  AMPHORA_TRY(core.inode_ids->MarkSettled());
  core.collector->Start();
  core.joiner->Start();
  return Ok();
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(const EngineOptions& options) {
  if (options.inline_limit > kMaxInlineLimit) {
    return Error(ErrorCode::kInvalidArgument, "inline_limit is at most 65536");
  }
  auto core = std::make_unique<Core>();
  core->options = options;
  AMPHORA_TRY(OpenStore(*core));
  AMPHORA_TRY(OpenParts(*core));
  return std::unique_ptr<Engine>(new Engine(std::move(core)));
}

Engine::Engine(std::unique_ptr<Core> core)
    : core_(std::move(core)),
      files_(*core_),
      objects_(*core_),
      uploads_(*core_),
      buckets_(*core_),
      credentials_(*core_),
      admin_(*core_) {}

Engine::~Engine() {
  core_->joiner.reset();
  core_->collector.reset();
  const Status settled = core_->live->Stop();
  if (!settled.ok()) Log(LogLevel::kError, "event=settle_failed " + settled.error().ToString());
  const Status durable = WaitDurable(NewestTicket());
  if (!durable.ok()) Log(LogLevel::kError, "event=sync_failed " + durable.error().ToString());
}

Files& Engine::files() { return files_; }
Objects& Engine::objects() { return objects_; }
Uploads& Engine::uploads() { return uploads_; }
Buckets& Engine::buckets() { return buckets_; }
Credentials& Engine::credentials() { return credentials_; }
Admin& Engine::admin() { return admin_; }
LockTable& Engine::locks() { return locks_; }

OriginId Engine::AddSink(ChangeSink* sink) { return core_->changes->Add(sink); }
void Engine::RemoveSink(OriginId origin) {
  core_->changes->Remove(origin);
  core_->removed->ForgetAll(origin);
  core_->live->ForgetAll(origin);
  locks_.DropMount(origin);
}

Ticket Engine::NewestTicket() { return core_->store->LastTicket(); }
Status Engine::WaitDurable(Ticket ticket) { return core_->store->WaitDurable(ticket); }

void Engine::WhenSettled(Ticket ticket, std::function<void(Status)> done) {
  if (core_->changes->empty()) {
    core_->store->WhenDurable(ticket, std::move(done));
    return;
  }
  // The sync and the kernels' caches are waited for side by side; the later of the two answers.
  struct Waiting {
    std::atomic<int> left{2};
    Status durable = Ok();
    std::function<void(Status)> done;
  };
  auto waiting = std::make_shared<Waiting>();
  waiting->done = std::move(done);
  const auto one_less = [waiting] {
    if (waiting->left.fetch_sub(1) == 1) waiting->done(waiting->durable);
  };
  core_->store->WhenDurable(ticket, [waiting, one_less](Status status) {
    waiting->durable = status;
    one_less();
  });
  core_->changes->Fence(one_less);
}

Status Engine::WaitSettled(Ticket ticket) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Status> answer;
  WhenSettled(ticket, [&](Status status) {
    std::lock_guard lock(mutex);
    answer = status;
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return answer.has_value(); });
  return *answer;
}

}  // namespace amphora::fs
