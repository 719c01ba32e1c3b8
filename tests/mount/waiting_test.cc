// What waits for the disk delays nobody else (hazards 2.1), and replies from other threads than the
// one that received a request arrive (uring_gate.h).
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "meta/base/failpoint.h"
#include "tests/mount/fixture.h"

namespace amphora::mount {
namespace {

class WaitingTest : public ModeTest {};
INSTANTIATE_TEST_SUITE_P(Modes, WaitingTest, ::testing::ValuesIn(kAllModes), ModeName);

void StayOnCpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ASSERT_EQ(pthread_setaffinity_np(pthread_self(), sizeof set, &set), 0);
}

TEST_P(WaitingTest, SlowFsyncDelaysNoStatOnItsCpu) {
  ASSERT_TRUE(WriteFile(Path("slow"), Pattern(100000)));
  std::atomic<int> synced = 0;
  ASSERT_TRUE(ArmFailpoint("fs.fsync.data", "sleep(1000)"));
  std::vector<std::thread> syncers;  // as many as a ring's queue holds
  for (int i = 0; i < 6; ++i) {
    syncers.emplace_back([&] {
      StayOnCpu(0);
      const Fd file(open(Path("slow").c_str(), O_RDWR));
      ASSERT_EQ(pwrite(file.get(), "x", 1, 0), 1);
      ASSERT_EQ(fsync(file.get()), 0);
      ++synced;
    });
  }
  while (FailpointVisits("fs.fsync.data") == 0) std::this_thread::yield();
  std::thread stats([&] {
    StayOnCpu(0);
    for (int i = 0; i < 200; ++i) {
      ASSERT_EQ(StatErrno(Path("new" + std::to_string(i))), ENOENT);  // each one asks the daemon
    }
    EXPECT_EQ(synced, 0) << "200 lookups waited for an fsync";
  });
  stats.join();
  DisarmAllFailpoints();
  for (std::thread& syncer : syncers) syncer.join();
  EXPECT_EQ(synced, 6);
}

// Hangs, and is then killed by the test runner, when a reply gets lost.
TEST_P(WaitingTest, RepliesOfThePoolAndOfTheQueuesDoNotGetLost) {
  constexpr int kThreads = 6;
  std::atomic<int> failures = 0;
  std::vector<std::thread> users;
  for (int user = 0; user < kThreads; ++user) {
    users.emplace_back([&, user] {
      const std::string path = Path("f" + std::to_string(user));
      const Fd file(open(path.c_str(), O_RDWR | O_CREAT, 0644));
      for (int i = 0; i < 2000; ++i) {
        if (user % 2 == 0) {
          // Nothing is written, so that the pool has little to do but to reply.
          if (fallocate(file.get(), 0, 0, 100) != 0) ++failures;
          if (i % 100 == 0 && fdatasync(file.get()) != 0) ++failures;
        } else {
          if (StatErrno(path + "-" + std::to_string(i)) != ENOENT) ++failures;
        }
      }
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(failures, 0);
}

TEST_P(WaitingTest, FailedFsyncIsReported) {
  const Fd file(open(Path("f").c_str(), O_RDWR | O_CREAT, 0644));
  ASSERT_EQ(write(file.get(), Pattern(200000).data(), 200000), 200000);
  ASSERT_TRUE(ArmFailpoint("fs.blob.sync", "fail(5)"));
  EXPECT_EQ(fsync(file.get()), -1);
  EXPECT_EQ(errno, EIO);
  DisarmAllFailpoints();
}

}  // namespace
}  // namespace amphora::mount
