// The life of mounts: starting, failing to start, several at once, ending, and what a killed daemon
// leaves behind.
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include "mount/system.h"
#include "tests/mount/fixture.h"

namespace amphora::mount {
namespace {

constexpr Mode kFull{true, true};

class SessionTest : public MountFixture {
 protected:
  ErrorCode StartError(const MountOptions& options) {
    auto mount = Mount::Start(*engine_, options);
    EXPECT_FALSE(mount.ok());
    return mount.ok() ? ErrorCode::kIo : mount.error().code();
  }
};

TEST_F(SessionTest, FailuresSayWhatWasWrong) {
  MountOptions options = OptionsFor("mnt", kFull);
  MountOptions wrong = options;
  wrong.directory = base_ + "/missing";
  EXPECT_EQ(StartError(wrong), ErrorCode::kNotFound);
  wrong.directory = "relative";
  EXPECT_EQ(StartError(wrong), ErrorCode::kInvalidArgument);
  ASSERT_TRUE(WriteFile(base_ + "/file", ""));
  wrong.directory = base_ + "/file";
  EXPECT_EQ(StartError(wrong), ErrorCode::kNotDirectory);
  wrong = options;
  wrong.source = "s3v/none";
  EXPECT_EQ(StartError(wrong), ErrorCode::kNotFound);
  const auto mount = MountOn("mnt", kFull);
  EXPECT_EQ(StartError(options), ErrorCode::kBusy);
  EXPECT_TRUE(WriteFile(options.directory + "/f", "still alive"));
}

TEST_F(SessionTest, WholeStoreVolumeAndBucketShowTheSameFile) {
  Put("dir/key", "content");
  const auto store = MountOn("store", kFull, [](MountOptions& options) { options.source = ""; });
  const auto volume =
      MountOn("volume", {true, false}, [](MountOptions& options) { options.source = "/s3v/"; });
  const auto bucket = MountOn("bucket", {false, true});
  EXPECT_EQ(ReadFile(base_ + "/store/s3v/bucket/dir/key"), "content");
  EXPECT_EQ(ReadFile(base_ + "/volume/bucket/dir/key"), "content");
  EXPECT_EQ(ReadFile(base_ + "/bucket/dir/key"), "content");
  EXPECT_EQ(StatOf(base_ + "/store/s3v/bucket/dir/key").st_ino,
            StatOf(base_ + "/bucket/dir/key").st_ino);
  EXPECT_TRUE(NamesIn(base_ + "/store").contains("s3v"));
  EXPECT_EQ(NamesIn(base_ + "/volume"), std::set<std::string>{"bucket"});
}

TEST_F(SessionTest, ChangeThroughOneMountReachesTheOthers) {
  const auto one = MountOn("one", kFull);
  const auto two = MountOn("two", {false, false});
  EXPECT_EQ(StatErrno(base_ + "/two/f"), ENOENT);
  ASSERT_TRUE(WriteFile(base_ + "/one/f", "first"));
  Settle();
  EXPECT_EQ(ReadFile(base_ + "/two/f"), "first");
  ASSERT_TRUE(WriteFile(base_ + "/two/f", "second, longer"));
  Settle();
  EXPECT_EQ(ReadFile(base_ + "/one/f"), "second, longer");
  ASSERT_EQ(rename((base_ + "/one/f").c_str(), (base_ + "/one/g").c_str()), 0);
  Settle();
  EXPECT_EQ(NamesIn(base_ + "/two"), std::set<std::string>{"g"});
  ASSERT_EQ(chmod((base_ + "/two/g").c_str(), 0600), 0);
  Settle();
  EXPECT_EQ(StatOf(base_ + "/one/g").st_mode, S_IFREG | 0600u);
}

TEST_F(SessionTest, PassthroughWriterIsSeenByAMountWithoutPassthrough) {
  const auto one = MountOn("one", {true, true});
  const auto two = MountOn("two", {false, false});
  const std::string content = Pattern(3 << 20);
  Put("large", content);
  EXPECT_TRUE(ReadFile(base_ + "/two/large") == content);
  const Fd writer(open((base_ + "/one/large").c_str(), O_RDWR));
  ASSERT_TRUE(writer.ok());
  for (int i = 0; i < 50; ++i) {
    const std::string patch = "patch " + std::to_string(i);
    ASSERT_EQ(pwrite(writer.get(), patch.data(), patch.size(), 100000),
              static_cast<ssize_t>(patch.size()));
    EXPECT_EQ(ReadFile(base_ + "/two/large").substr(100000, patch.size()), patch);
  }
  ASSERT_EQ(pwrite(writer.get(), "end", 3, 3 << 20), 3);
  EXPECT_EQ(StatOf(base_ + "/two/large").st_size, (3 << 20) + 3);
}

TEST_F(SessionTest, ReadOnlyMountRefusesChanges) {
  Put("f", "content");
  const auto mount = MountOn("mnt", kFull, [](MountOptions& options) { options.read_only = true; });
  EXPECT_EQ(ReadFile(base_ + "/mnt/f"), "content");
  EXPECT_FALSE(WriteFile(base_ + "/mnt/g", "x"));
  EXPECT_EQ(errno, EROFS);
  EXPECT_EQ(unlink((base_ + "/mnt/f").c_str()), -1);
  EXPECT_EQ(errno, EROFS);
  EXPECT_TRUE(mount->figures().read_only);
}

TEST_F(SessionTest, UnmountWaitsForOpenFilesUnlessForced) {
  const auto mount = MountOn("mnt", kFull);
  ASSERT_TRUE(WriteFile(base_ + "/mnt/f", Pattern(1 << 20)));
  Fd file(open((base_ + "/mnt/f").c_str(), O_RDWR));
  EXPECT_TRUE(mount->Unmount(false).Is(ErrorCode::kBusy));
  EXPECT_TRUE(mount->figures().alive);
  ASSERT_TRUE(mount->Unmount(true).ok());
  EXPECT_FALSE(mount->figures().alive);
  char byte;
  struct stat attributes;
  EXPECT_EQ(pread(file.get(), &byte, 1, 0) == 1 || errno == ENOTCONN, true);
  EXPECT_EQ(fsync(file.get()), -1);
  EXPECT_EQ(StatErrno(base_ + "/mnt/f"), ENOENT);
  EXPECT_EQ(stat((base_ + "/mnt").c_str(), &attributes), 0);
  EXPECT_EQ(engine_->admin().Figures().open_handles, 0u) << "handles without RELEASE are released";
}

TEST_F(SessionTest, IdleMountUnmountsAndCanBeMountedAgain) {
  for (int round = 0; round < 5; ++round) {
    const auto mount = MountOn("mnt", {true, round % 2 == 0});
    ASSERT_TRUE(mount != nullptr);
    const std::string name = base_ + "/mnt/f" + std::to_string(round);
    ASSERT_TRUE(WriteFile(name, "x"));
    EXPECT_EQ(NamesIn(base_ + "/mnt").size(), static_cast<std::size_t>(round + 1));
    const Status status = mount->Unmount(false);
    EXPECT_TRUE(status.ok()) << status.error().ToString();
    EXPECT_TRUE(NamesIn(base_ + "/mnt").empty());
  }
}

TEST_F(SessionTest, UmountCommandEndsTheSession) {
  const auto mount = MountOn("mnt", kFull);
  ASSERT_TRUE(WriteFile(base_ + "/mnt/f", "x"));
  const std::string command = geteuid() == 0 ? "umount " : "fusermount3 -u ";
  ASSERT_EQ(system((command + base_ + "/mnt").c_str()), 0);
  EXPECT_TRUE(mount->Unmount(false).ok());
  EXPECT_FALSE(mount->figures().alive);
  Put("after", "the store goes on");
  EXPECT_EQ(Get("after"), "the store goes on");
}

TEST_F(SessionTest, AbortedConnectionWithRequestsUnderWayEndsCleanly) {
  for (int round = 0; round < 10; ++round) {
    auto mount = MountOn("mnt", {true, round % 2 == 0});
    ASSERT_TRUE(mount != nullptr);
    std::vector<std::thread> users;
    for (int user = 0; user < 4; ++user) {
      users.emplace_back([&, user] {
        const std::string path = base_ + "/mnt/f" + std::to_string(user);
        while (true) {
          const Fd file(open(path.c_str(), O_RDWR | O_CREAT, 0644));
          if (!file.ok() || write(file.get(), "x", 1) != 1 || fsync(file.get()) != 0) return;
          struct stat attributes;
          if (stat(path.c_str(), &attributes) != 0) return;
        }
      });
    }
    usleep(20000);
    ASSERT_TRUE(mount->Unmount(true).ok());
    // Now their paths lead to the directory below the mount: take it away, so that they end.
    ASSERT_EQ(rename((base_ + "/mnt").c_str(), (base_ + "/old" + std::to_string(round)).c_str()),
              0);
    for (std::thread& user : users) user.join();
    mount.reset();
  }
}

TEST_F(SessionTest, DeadMountOfAKilledDaemonIsReplaced) {
  MountOptions options = OptionsFor("mnt", kFull);
  Put("f", "survives");
  engine_.reset();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t daemon = fork();
  ASSERT_GE(daemon, 0);
  if (daemon == 0) {  // another process serves the store and is killed
    auto engine = fs::Engine::Open({.data_directory = data_});
    if (!engine.ok()) _exit(2);
    auto mount = Mount::Start(**engine, options);
    if (!mount.ok() || write(ready[1], "r", 1) != 1) _exit(3);
    while (true) pause();
  }
  close(ready[1]);
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  EXPECT_EQ(ReadFile(options.directory + "/f"), "survives");
  const Fd held(open((options.directory + "/f").c_str(), O_RDONLY));
  ASSERT_EQ(kill(daemon, SIGKILL), 0);
  ASSERT_EQ(waitpid(daemon, nullptr, 0), daemon);
  struct statfs ignored;
  ASSERT_EQ(statfs(options.directory.c_str(), &ignored), -1);
  ASSERT_TRUE(errno == ENOTCONN || errno == ECONNABORTED || errno == ECANCELED) << strerror(errno);
  OpenEngine();
  ASSERT_TRUE(engine_ != nullptr);
  const auto mount = MountOn("mnt", kFull);
  ASSERT_TRUE(mount != nullptr);
  EXPECT_EQ(ReadFile(options.directory + "/f"), "survives");
  EXPECT_TRUE(mount->Unmount(false).ok());
  EXPECT_FALSE(*IsMountPoint(options.directory)) << "no layer of the dead mount is left";
}

TEST_F(SessionTest, DetachingWhatIsAliveDoesNothing) {
  const auto mount = MountOn("mnt", kFull);
  const auto detached = DetachDeadMount(base_ + "/mnt");
  ASSERT_TRUE(detached.ok());
  EXPECT_FALSE(*detached);
  EXPECT_TRUE(WriteFile(base_ + "/mnt/f", "x"));
  EXPECT_FALSE(*DetachDeadMount(base_));
}

TEST_F(SessionTest, FiguresShowWhatTheKernelShows) {
  const auto mount = MountOn("mnt", kFull);
  const MountFigures figures = mount->figures();
  EXPECT_EQ(figures.source, "s3v/bucket");
  EXPECT_EQ(figures.directory, base_ + "/mnt");
  EXPECT_TRUE(figures.alive);
  EXPECT_TRUE(figures.name_invalidation == "entry" || figures.name_invalidation == "epoch")
      << figures.name_invalidation;
  std::ifstream table("/proc/self/mountinfo");
  std::string line, found;
  while (std::getline(table, line)) {
    if (line.find(" " + base_ + "/mnt ") != std::string::npos) found = line;
  }
  EXPECT_NE(found.find(" - fuse.amphora amphora:/s3v/bucket rw"), std::string::npos) << found;
  EXPECT_NE(found.find("default_permissions"), std::string::npos) << found;
  const bool root = geteuid() == 0;
  EXPECT_EQ(found.find("allow_other") != std::string::npos, root || MayAllowOther()) << found;
  EXPECT_EQ(found.find("nosuid") == std::string::npos, root) << found;
}

TEST_F(SessionTest, AllowOtherIsRefusedWhereItIsNotPermitted) {
  MountOptions options = OptionsFor("mnt", kFull);
  options.allow_other = true;
  if (MayAllowOther()) {
    EXPECT_TRUE(Mount::Start(*engine_, options).ok());
  } else {
    EXPECT_EQ(StartError(options), ErrorCode::kNotPermitted);
  }
}

TEST_F(SessionTest, MountFlagsReachTheKernel) {
  const auto mount = MountOn("mnt", kFull, [](MountOptions& options) {
    options.noexec = options.nosuid = options.nodev = true;
  });
  std::ifstream table("/proc/self/mountinfo");
  std::string line, found;
  while (std::getline(table, line)) {
    if (line.find(" " + base_ + "/mnt ") != std::string::npos) found = line;
  }
  EXPECT_NE(found.find("nosuid,nodev,noexec"), std::string::npos) << found;
}

}  // namespace
}  // namespace amphora::mount
