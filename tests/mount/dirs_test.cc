// Directories through the kernel: listing small and large ones, beside changes.
#include <dirent.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "tests/mount/fixture.h"

namespace amphora::mount {
namespace {

class DirsTest : public ModeTest {
 protected:
  void MakeFiles(const std::string& directory, int count) {
    const Fd parent(open(directory.c_str(), O_PATH | O_DIRECTORY));
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(mknodat(parent.get(), ("file-" + std::to_string(i)).c_str(), S_IFREG | 0644, 0), 0);
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, DirsTest, ::testing::ValuesIn(kAllModes), ModeName);

TEST_P(DirsTest, EmptyDirectoryHasTheTwoDots) {
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  DIR* stream = opendir(Path("d").c_str());
  std::vector<std::string> names;
  std::vector<ino_t> inodes;
  while (const dirent* entry = readdir(stream)) {
    names.push_back(entry->d_name);
    inodes.push_back(entry->d_ino);
    EXPECT_EQ(entry->d_type, DT_DIR);
  }
  closedir(stream);
  EXPECT_EQ(names, (std::vector<std::string>{".", ".."}));
  EXPECT_EQ(inodes[0], StatOf(Path("d")).st_ino);
  EXPECT_EQ(inodes[1], StatOf(root()).st_ino);
  EXPECT_EQ(StatOf(Path("d")).st_nlink, 2u);
}

TEST_P(DirsTest, ListingShowsKindsAndInodes) {
  ASSERT_TRUE(WriteFile(Path("file"), "x"));
  ASSERT_EQ(mkdir(Path("dir").c_str(), 0755), 0);
  ASSERT_EQ(symlink("x", Path("link").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  DIR* stream = opendir(root().c_str());
  int seen = 0;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const struct stat attributes = StatOf(Path(name));
    EXPECT_EQ(entry->d_ino, attributes.st_ino) << name;
    EXPECT_EQ(entry->d_type, IFTODT(attributes.st_mode)) << name;
    ++seen;
  }
  closedir(stream);
  EXPECT_EQ(seen, 4);
}

TEST_P(DirsTest, LargeDirectoryIsListedCompletelyOnceAndFromTheCacheAgain) {
  ASSERT_EQ(mkdir(Path("big").c_str(), 0755), 0);
  MakeFiles(Path("big"), 3000);
  EXPECT_EQ(NamesIn(Path("big")).size(), 3000u);
  EXPECT_EQ(NamesIn(Path("big")).size(), 3000u);
  const std::uint64_t before = RequestsOnceClosed();
  EXPECT_EQ(NamesIn(Path("big")).size(), 3000u);
  EXPECT_LE(Requests() - before, 2u) << "a listing that did not change comes from the kernel";
}

TEST_P(DirsTest, SeekingBackShowsTheSameEntries) {
  MakeFiles(root(), 200);
  DIR* stream = opendir(root().c_str());
  std::vector<std::pair<long, std::string>> after;  // what follows a position
  long position = telldir(stream);
  while (const dirent* entry = readdir(stream)) {
    after.emplace_back(position, entry->d_name);
    position = telldir(stream);
  }
  for (std::size_t i = 0; i < after.size(); i += 17) {
    seekdir(stream, after[i].first);
    const dirent* entry = readdir(stream);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->d_name, after[i].second);
  }
  closedir(stream);
}

TEST_P(DirsTest, RemovingWhileListingMissesNothing) {
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  MakeFiles(Path("d"), 2000);
  DIR* stream = opendir(Path("d").c_str());
  int removed = 0;
  while (const dirent* entry = readdir(stream)) {
    if (entry->d_name[0] == '.') continue;
    ASSERT_EQ(unlinkat(dirfd(stream), entry->d_name, 0), 0) << entry->d_name;
    ++removed;
  }
  closedir(stream);
  EXPECT_EQ(removed, 2000);
  EXPECT_EQ(rmdir(Path("d").c_str()), 0) << strerror(errno);
}

TEST_P(DirsTest, ListingBesideCreatesShowsEveryOldNameOnce) {
  MakeFiles(root(), 500);
  std::atomic<bool> stop = false;
  std::thread maker([&] {
    for (int i = 0; !stop; ++i) {
      const std::string path = Path("new-" + std::to_string(i % 300));
      WriteFile(path, "");
      if (i % 2 == 1) unlink(path.c_str());
    }
  });
  for (int round = 0; round < 20; ++round) {
    std::multiset<std::string> names;
    DIR* stream = opendir(root().c_str());
    while (const dirent* entry = readdir(stream)) names.insert(entry->d_name);
    closedir(stream);
    for (int i = 0; i < 500; ++i) ASSERT_EQ(names.count("file-" + std::to_string(i)), 1u) << i;
  }
  stop = true;
  maker.join();
}

TEST_P(DirsTest, StatOfAListedDirectoryNeedsNoLookups) {
  MakeFiles(root(), 100);
  ASSERT_EQ(system(("ls -l " + root() + " > /dev/null").c_str()), 0);
  const std::uint64_t before = RequestsOnceClosed();
  ASSERT_EQ(system(("ls -l " + root() + " > /dev/null").c_str()), 0);
  // ls asks for xattrs (ACLs) of each; what it must not do is ask for names and attributes.
  EXPECT_LE(Requests() - before, 110u);
}

class BigTreeTest : public DirsTest {};
INSTANTIATE_TEST_SUITE_P(Modes, BigTreeTest,
                         ::testing::Values(Mode{true, true}, Mode{false, false}), ModeName);

TEST_P(BigTreeTest, RmMinusRBesideAnotherRemover) {
  ASSERT_EQ(mkdir(Path("big").c_str(), 0755), 0);
  MakeFiles(Path("big"), 20000);
  std::thread other([&] {
    for (int i = 19999; i >= 0; i -= 7) unlink(Path("big/file-" + std::to_string(i)).c_str());
  });
  EXPECT_EQ(system(("rm -rf " + Path("big")).c_str()), 0);
  other.join();
  EXPECT_EQ(StatErrno(Path("big")), ENOENT);
  EXPECT_TRUE(ListKeys().empty());
}

}  // namespace
}  // namespace amphora::mount
