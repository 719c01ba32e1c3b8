// The engine's face: one open store. mount/ and s3/ include this and the headers it names, nothing
// else of fs/. One process owns a data directory. Thread-safe.
//
//   fs::EngineOptions options{.data_directory = "/var/lib/amphora"};
//   auto engine = fs::Engine::Open(options);
//   auto bucket = (*engine)->buckets().FindBucket("s3v", "photos");
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "fs/admin.h"
#include "fs/buckets.h"
#include "fs/changes.h"
#include "fs/credentials.h"
#include "fs/files.h"
#include "fs/handle.h"
#include "fs/lock_table.h"
#include "fs/objects.h"
#include "fs/types.h"
#include "fs/uploads.h"

namespace amphora::fs {

// What this build writes. Older ones are read, and are this one from their first opening on:
//   1  the first release's
//   2  all parts of uploads count in their bucket's usage; rows of parts' checksums and of finished
//      uploads
inline constexpr std::uint32_t kStoreFormat = 2;

struct EngineOptions {
  std::string data_directory;  // created (mode 0700) when missing
  std::size_t inline_limit =
      16 << 10;  // bytes; 0 to 65,536: content up to this size lives in the store
  // Of every part of an upload but the last; S3's, and less only in tests.
  std::uint64_t min_part_bytes = kMinPartBytes;
  // A Complete that is repeated is answered for so long, and for so many uploads, whatever its key
  // names by then.
  std::uint32_t finished_uploads_kept_s = 3600;
  std::size_t finished_uploads_kept = 10'000;
};

class Engine {
 public:
  // Creates or opens the store and recovers from a crash. kBusy: another process has it (the log
  // says which); kNewerFormat: written by a newer release, nothing was changed.
  static Result<std::unique_ptr<Engine>> Open(const EngineOptions& options);
  // Settles open files, stops the background threads, closes the store.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Files& files();
  Objects& objects();
  Uploads& uploads();
  Buckets& buckets();
  Credentials& credentials();
  Admin& admin();
  // Of mounts with -o locks=shared.
  LockTable& locks();

  // A mount registers its invalidator and gets the origin id to put into its callers. The sink must
  // outlive its registration.
  OriginId AddSink(ChangeSink* sink);
  void RemoveSink(OriginId origin);

  // A ticket that covers everything answered so far.
  Ticket NewestTicket();
  // Blocks until durable. kPoisoned after a failed sync.
  Status WaitDurable(Ticket ticket);
  // Calls `done` once `ticket` is durable and every mount has been told of the changes published
  // before this call. May call it here and now, or on another thread; it must be quick.
  void WhenSettled(Ticket ticket, std::function<void(Status)> done);
  // The same, blocking.
  Status WaitSettled(Ticket ticket);

 private:
  explicit Engine(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
  Files files_;
  Objects objects_;
  Uploads uploads_;
  Buckets buckets_;
  Credentials credentials_;
  Admin admin_;
  LockTable locks_;
};

// The format a data directory was written in, without opening it. kNotFound: no store there.
Result<std::uint32_t> ReadStoreFormat(const std::string& data_directory);

}  // namespace amphora::fs
