// What S3 changed, the mount shows at once; what the mount changed, S3 shows at once. No sleep, no
// retry: a check follows the answer. Names, negative names, listings and pages are in the kernel's
// caches before, two mounts in different modes are watched, and four readers race.
#include <dirent.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "tests/mount/fixture.h"
#include "tests/support/scale.h"

namespace amphora::mount {
namespace {

constexpr int kRoundsPerDirectory = 500;

class CoherenceTest : public MountFixture {
 protected:
  // In memory: what is tested is who knows what and when, not the disk.
  void SetUp() override { SetUpAt("/dev/shm"); }

  // In the directory that the test is at: a new one now and then, with nothing in any cache.
  std::string Path(int mount, const std::string& name) const {
    return base_ + (mount == 0 ? "/one/" : "/two/") + Directory() + "/" + name;
  }
  std::string Directory() const { return "d" + std::to_string(directory_); }

  // What mount `mount` shows of `name`, asked for in `way`; empty: that it does not exist.
  std::string Shown(int mount, const std::string& name, int way) {
    const std::string path = Path(mount, name);
    if (way == 0) {
      const struct stat attributes = StatOf(path);
      return attributes.st_ino == 0
                 ? ""
                 : std::string(static_cast<std::size_t>(attributes.st_size), '#');
    }
    if (way == 1) {
      const Fd file(open(path.c_str(), O_RDONLY));
      char buffer[64];
      const ssize_t size = file.ok() ? read(file.get(), buffer, sizeof buffer) : 0;
      return size < 0 ? "(read failed)" : std::string(buffer, static_cast<std::size_t>(size));
    }
    return NamesIn(Path(mount, "")).contains(name) ? "listed" : "";
  }

  void Race(int mount, std::atomic<bool>& stop) {
    while (!stop) {
      for (int i = 0; i < 8 && !stop; ++i) {
        const std::string name = "name" + std::to_string(i);
        StatErrno(Path(mount, name));
        Shown(mount, name, 1);
      }
      DIR* stream = opendir(Path(mount, "").c_str());
      while (stream != nullptr && readdir(stream) != nullptr) {
      }
      if (stream != nullptr) closedir(stream);
    }
  }

  std::atomic<int> directory_ = 0;
};

TEST_F(CoherenceTest, PutAndDeleteAreSeenAtOnceThroughTwoMountsBesideRacingReaders) {
  const auto one = MountOn("one", {.passthrough = true, .io_uring = true});
  const auto two = MountOn("two", {.passthrough = false, .io_uring = false});
  ASSERT_TRUE(one != nullptr && two != nullptr);
  Put("d0/", "");
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) readers.emplace_back([&, i] { Race(i % 2, stop); });
  std::vector<std::string> wanted(8);  // empty: no such object
  int stale = 0;
  const int rounds = test::Scaled(100'000, 2000);
  for (int round = 0; round < rounds && stale < 10; ++round) {
    if (round % kRoundsPerDirectory == kRoundsPerDirectory - 1) {
      Put("d" + std::to_string(directory_ + 1) + "/", "");
      ++directory_;
      wanted.assign(8, "");
    }
    const auto which = static_cast<std::size_t>(round * 5 % 8);
    const std::string name = "name" + std::to_string(which);
    // Deleted, put, and put over in turn; each content has its own length, up to 60 bytes.
    if (!wanted[which].empty() && round / 8 % 3 != 1) {
      Delete(Directory() + "/" + name);
      wanted[which].clear();
    } else {
      wanted[which] =
          std::to_string(round) + std::string(static_cast<std::size_t>(round % 50), '.');
      Put(Directory() + "/" + name, wanted[which]);
    }
    const std::string& content = wanted[which];
    for (int mount = 0; mount < 2; ++mount) {
      const std::string expected[3] = {std::string(content.size(), '#'), content,
                                       content.empty() ? "" : "listed"};
      for (int way = 0; way < 3; ++way) {
        const std::string shown = Shown(mount, name, way);
        if (shown == expected[way]) continue;
        ++stale;
        ADD_FAILURE() << "round " << round << " mount " << mount << " way " << way << ": '" << shown
                      << "' for '" << expected[way] << "'";
      }
    }
    if (HasFatalFailure()) break;
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(stale, 0);
}

TEST_F(CoherenceTest, CloseAndRenameInTheMountAreSeenByS3AtOnce) {
  const auto one = MountOn("one", {.passthrough = true, .io_uring = true});
  const auto two = MountOn("two", {.passthrough = false, .io_uring = false});
  Put("d0/", "");
  const int rounds = test::Scaled(5000, 200);
  for (int round = 0; round < rounds; ++round) {
    const int mount = round % 2;
    const std::string name = "n" + std::to_string(round % 8);
    const std::string content =
        Pattern(static_cast<std::size_t>(round * 37 % 40000), static_cast<unsigned>(round));
    ASSERT_TRUE(WriteFile(Path(mount, "temporary"), content));
    ASSERT_TRUE(Get("d0/temporary") == content) << round;
    ASSERT_EQ(rename(Path(mount, "temporary").c_str(), Path(mount, name).c_str()), 0);
    ASSERT_TRUE(Head("d0/temporary").Is(ErrorCode::kNotFound)) << round;
    const auto head = Head("d0/" + name);
    ASSERT_TRUE(head.ok()) << round;
    ASSERT_EQ(head->size, content.size()) << round;
    const auto keys = ListKeys("d0/n");
    ASSERT_EQ(std::count(keys.begin(), keys.end(), "d0/" + name), 1) << round;
    if (round % 3 != 0) continue;
    ASSERT_EQ(unlink(Path(mount, name).c_str()), 0);
    ASSERT_TRUE(Head("d0/" + name).Is(ErrorCode::kNotFound)) << round;
  }
}

TEST_F(CoherenceTest, DirectoryRenamedInTheMountIsRenamedForS3AtOnce) {
  const auto one = MountOn("one", {.passthrough = true, .io_uring = true});
  Put("d0/", "");
  for (int i = 0; i < 20; ++i) Put("d0/a/k" + std::to_string(i), "x");
  for (int round = 0; round < 200; ++round) {
    const std::string from = round % 2 == 0 ? "a" : "b";
    const std::string to = round % 2 == 0 ? "b" : "a";
    ASSERT_EQ(rename(Path(0, from).c_str(), Path(0, to).c_str()), 0) << strerror(errno);
    ASSERT_TRUE(Head("d0/" + to + "/k7").ok());
    ASSERT_TRUE(Head("d0/" + from + "/k7").Is(ErrorCode::kNotFound));
    ASSERT_GE(ListKeys("d0/" + to + "/").size(), 20u);
    ASSERT_TRUE(ListKeys("d0/" + from + "/").empty());
  }
}

}  // namespace
}  // namespace amphora::mount
