// A disk that fills up under the store: writers are told so, nothing that was acknowledged is lost,
// reads go on, and once there is room again writing goes on by itself. Needs root, to mount a small
// tmpfs.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "tests/meta/store_fixture.h"
#include "tests/support/root_only.h"

namespace amphora::meta {
namespace {

// A tmpfs of 256 MiB on a fresh directory, unmounted at the end.
class SmallDisk {
 public:
  SmallDisk() {
    mounted_ = mount("amphora-test", directory_.path().c_str(), "tmpfs", 0, "size=256m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) (void)umount2(directory_.path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  const std::string& path() const { return directory_.path(); }
  // Takes all the room that is left, in a file outside of the store.
  void Fill() {
    const int file = open(Ballast().c_str(), O_WRONLY | O_CREAT, 0600);
    const std::string block(4096, 'x');
    while (write(file, block.data(), block.size()) > 0) {
    }
    close(file);
  }
  void Release() { std::filesystem::remove(Ballast()); }

 private:
  std::string Ballast() const { return path() + "/ballast"; }
  TemporaryDirectory directory_;
  bool mounted_ = false;
};

template <typename T>
class StoreFullDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    AMPHORA_ROOT_ONLY("can't mount a small disk");
    ASSERT_TRUE(disk_.mounted());
  }
  static Result<Ticket> Put(Store& store, int number) {
    const auto done = Transact(store, [&](Transaction& transaction) -> Status {
      const std::string key = "k" + std::to_string(number);
      AMPHORA_TRY(transaction.Put(Table::kRows, key, std::to_string(number)));
      return transaction.Put(Table::kContent, key, std::string(8192, 'c'));
    });
    if (!done.ok()) return done.error();
    return done->ticket;
  }
  // Writes until an error; how many went well.
  static int PutUntilError(Store& store, Error& error) {
    for (int number = 0;; ++number) {
      const Result<Ticket> done = Put(store, number);
      if (done.ok()) continue;
      error = done.error();
      return number;
    }
  }
  static void ExpectRows(Store& store, int count) {
    for (int number = 0; number < count; ++number) {
      const auto row = store.Newest().Get(Table::kRows, "k" + std::to_string(number));
      ASSERT_TRUE(row.ok() && row->has_value()) << number;
    }
  }

  SmallDisk disk_;
};
TYPED_TEST_SUITE(StoreFullDiskTest, Implementations);

TYPED_TEST(StoreFullDiskTest, WritersAreToldAndWritingResumesWhenThereIsRoom) {
  auto store = TypeParam::Open(this->disk_.path());
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->WaitDurable(*this->Put(**store, 0)).ok());
  this->disk_.Fill();
  Error error(ErrorCode::kIo);
  const int written = this->PutUntilError(**store, error);
  EXPECT_EQ(error.code(), ErrorCode::kNoSpace) << error.ToString();
  this->ExpectRows(**store, written);
  // Nobody is told that something is durable which is not, and a full disk is no failed sync.
  const Ticket newest = (*store)->LastTicket();
  if (!(*store)->IsDurable(newest)) {
    EXPECT_TRUE((*store)->WaitDurable(newest).Is(ErrorCode::kNoSpace));
  }

  this->disk_.Release();
  // The store looks for room every few seconds.
  Result<Ticket> again = Error(ErrorCode::kIo);
  for (int attempt = 0; attempt < 300 && !again.ok(); ++attempt) {
    again = this->Put(**store, written);
    if (!again.ok()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ASSERT_TRUE(again.ok()) << again.error().ToString();
  EXPECT_TRUE((*store)->WaitDurable(*again).ok());
  store->reset();
  store = TypeParam::Open(this->disk_.path());
  ASSERT_TRUE(store.ok()) << store.error().ToString();
  this->ExpectRows(**store, written + 1);
}

TYPED_TEST(StoreFullDiskTest, ThreadsThatSyncMeanwhilePoisonNothing) {
  auto store = TypeParam::Open(this->disk_.path());
  ASSERT_TRUE(store.ok());
  this->disk_.Fill();
  std::atomic<int> poisoned{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const Result<Ticket> done = this->Put(**store, t * 1000 + i);
        const Status durable = done.ok() ? (*store)->WaitDurable(*done) : Status(done.error());
        poisoned += durable.Is(ErrorCode::kPoisoned);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(poisoned.load(), 0);
}

TYPED_TEST(StoreFullDiskTest, StoreThatDiedOnAFullDiskKeepsWhatItAcknowledged) {
  int written = 0;
  {
    auto store = TypeParam::Open(this->disk_.path());
    ASSERT_TRUE(store.ok());
    this->disk_.Fill();
    Error error(ErrorCode::kIo);
    written = this->PutUntilError(**store, error);
  }
  this->disk_.Release();
  auto store = TypeParam::Open(this->disk_.path());
  ASSERT_TRUE(store.ok()) << store.error().ToString();
  this->ExpectRows(**store, written);
}

}  // namespace
}  // namespace amphora::meta
