// Opens and closes the RocksDB store and hands out its parts: transactions (rocks_transaction.h),
// readers (rocks_reader.h) and durability (log_syncer.h). A ticket is a RocksDB sequence number.

#include "meta/rocks_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "meta/log_syncer.h"
#include "meta/rocks_options.h"
#include "meta/rocks_reader.h"
#include "meta/rocks_status.h"
#include "meta/rocks_transaction.h"

namespace amphora::meta {
namespace {

// Held as long as the store is open; the kernel drops it when the process dies. RocksDB has a lock
// of its own, but reports it as any other I/O error.
class DirectoryLock {
 public:
  static Result<DirectoryLock> Take(const std::string& directory) {
    const std::string path = directory + "/owner.lock";
    const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return Error::FromErrno(errno, "store's lock file");
    DirectoryLock lock(descriptor);
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK) return Error(ErrorCode::kBusy, "metadata store");
    return Error::FromErrno(errno, "store's lock file");
  }
  DirectoryLock(DirectoryLock&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock() {
    if (descriptor_ >= 0) close(descriptor_);
  }

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// RocksDB's objects, closed in the right order.
struct Database {
  std::unique_ptr<rocksdb::TransactionDB> db;
  Families families{};

  ~Database() {
    if (db == nullptr) return;
    for (rocksdb::ColumnFamilyHandle* family : families) {
      if (family != nullptr) (void)db->DestroyColumnFamilyHandle(family);
    }
    (void)db->Close();
  }
};

class RocksStore final : public Store {
 public:
  RocksStore(DirectoryLock lock, std::unique_ptr<Database> database, const RocksOptions& options)
      : lock_(std::move(lock)),
        database_(std::move(database)),
        pool_(*database_->db, options.lock_timeout_ms),
        // Recovery wrote what it found in the log to synced tables.
        syncer_(LogSyncer::Source{[this] { return LastTicket(); }, [this] { return SyncLog(); }},
                database_->db->GetLatestSequenceNumber()),
        sweeper_([this](Table table, const KeyRange& range) { return Compact(table, range); }),
        cache_(options.cached_kinds, options.row_cache_bytes),
        newest_(*database_->db, database_->families, sweeper_, cache_, RocksReader::View::kNewest),
        context_{*database_->db, database_->families, syncer_, pool_, health_, sweeper_, cache_} {}

  // A clean close leaves nothing that a power cut could take.
  ~RocksStore() override {
    closing_.store(true);
    if (!syncer_.poisoned()) (void)syncer_.Wait(LastTicket());
  }

  std::unique_ptr<Transaction> Begin() override {
    return std::make_unique<RocksTransaction>(context_);
  }
  std::unique_ptr<Reader> Snapshot() override {
    return std::make_unique<RocksReader>(*database_->db, database_->families, sweeper_, cache_,
                                         RocksReader::View::kSnapshot);
  }
  Reader& Newest() override { return newest_; }
  Ticket LastTicket() override { return database_->db->GetLatestSequenceNumber(); }
  bool IsDurable(Ticket ticket) override { return syncer_.IsDurable(ticket); }
  Status WaitDurable(Ticket ticket) override { return syncer_.Wait(ticket); }
  void WhenDurable(Ticket ticket, std::function<void(Status)> done) override {
    syncer_.When(ticket, std::move(done));
  }

 private:
  // LogSyncer::Source::sync.
  Status SyncLog() {
    return Guarded([this]() -> Status {
      if (const auto trouble = health_.trouble())
        return Error(*trouble, "the log can't be written");
      const rocksdb::Status status = database_->db->SyncWAL();
      if (status.ok()) return Ok();
      const Error error = ToError(status);
      // A write failed a moment ago and its transaction has not said so yet: nothing was synced.
      if (status.ToString().find("Seen error") != std::string::npos) return error;
      return Error(ErrorCode::kPoisoned, "the log can't be synced");
    });
  }

  // The sweeper's. The last level too: a file that was only moved there brings its erased rows.
  Status Compact(Table table, const KeyRange& range) {
    return Guarded([&]() -> Status {
      rocksdb::CompactRangeOptions options;
      options.exclusive_manual_compaction = false;
      options.canceled = &closing_;
      options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
      const rocksdb::Slice begin = ToSlice(range.begin);
      const rocksdb::Slice end = ToSlice(range.end);
      const rocksdb::Status compacted =
          database_->db->CompactRange(options, FamilyOf(database_->families, table), &begin,
                                      range.end.empty() ? nullptr : &end);
      // Ended by the close: nothing went wrong.
      return closing_.load() ? Ok() : ToStatus(compacted);
    });
  }

  // Members close in reverse order: the syncer before the database, the lock last.
  DirectoryLock lock_;
  std::unique_ptr<Database> database_;
  TransactionPool pool_;
  LogHealth health_;
  LogSyncer syncer_;
  std::atomic<bool> closing_{false};  // ends a compaction of the sweeper
  TombstoneSweeper sweeper_;
  RowCache cache_;
  RocksReader newest_;
  RocksTransaction::Context context_;
};

Result<std::unique_ptr<Database>> OpenDatabase(const RocksOptions& options) {
  rocksdb::TransactionDBOptions locks;
  locks.num_stripes = 64;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::TransactionDB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::TransactionDB::Open(DatabaseOptions(options), locks, options.directory,
                                   ColumnFamilies(options), &handles, &opened);
  if (!status.ok()) return ToError(status);
  auto database = std::make_unique<Database>();
  database->db.reset(opened);
  for (std::size_t i = 0; i < handles.size(); ++i) database->families.at(i) = handles[i];
  return database;
}

}  // namespace

Result<std::unique_ptr<Store>> OpenRocksStore(const RocksOptions& options) {
  if (options.lock_timeout_ms < 1 || options.lock_timeout_ms > 60'000) {
    return Error(ErrorCode::kInvalidArgument, "lock_timeout_ms");
  }
  return Guarded([&]() -> Result<std::unique_ptr<Store>> {
    std::error_code error;
    std::filesystem::create_directories(options.directory, error);
    if (error) return Error::FromErrno(error.value(), "store's directory");
    Result<DirectoryLock> lock = DirectoryLock::Take(options.directory);
    if (!lock.ok()) return lock.error();
    Result<std::unique_ptr<Database>> database = OpenDatabase(options);
    if (!database.ok()) return database.error();
    return std::unique_ptr<Store>(
        std::make_unique<RocksStore>(std::move(*lock), std::move(*database), options));
  });
}

}  // namespace amphora::meta
