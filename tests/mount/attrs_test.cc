// Attributes, times, extended attributes and the disk's size through the kernel.
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>

#include "tests/mount/fixture.h"

namespace amphora::mount {
namespace {

class AttrsTest : public ModeTest {};
INSTANTIATE_TEST_SUITE_P(Modes, AttrsTest, ::testing::ValuesIn(kAllModes), ModeName);

bool Before(const timespec& a, const timespec& b) {
  return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

TEST_P(AttrsTest, ModeAndOwnerChange) {
  AMPHORA_ROOT_ONLY("can't give files away");
  ASSERT_TRUE(WriteFile(Path("f"), "x"));
  ASSERT_EQ(chmod(Path("f").c_str(), 04711), 0);
  EXPECT_EQ(StatOf(Path("f")).st_mode, S_IFREG | 04711u);
  ASSERT_EQ(chown(Path("f").c_str(), 11, 22), 0);
  const struct stat attributes = StatOf(Path("f"));
  EXPECT_EQ(attributes.st_uid, 11u);
  EXPECT_EQ(attributes.st_gid, 22u);
  EXPECT_EQ(attributes.st_mode, S_IFREG | 0711u) << "chown clears setuid";
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  ASSERT_EQ(chmod(Path("d").c_str(), 02755), 0);
  ASSERT_EQ(chown(Path("d").c_str(), 11, 22), 0);
  EXPECT_EQ(StatOf(Path("d")).st_mode, S_IFDIR | 02755u) << "a directory keeps its setgid";
}

TEST_P(AttrsTest, TimesAreKeptToTheNanosecond) {
  ASSERT_TRUE(WriteFile(Path("f"), "x"));
  const timespec times[2] = {{1'000'000'000, 123456789}, {-5, 1}};
  ASSERT_EQ(utimensat(AT_FDCWD, Path("f").c_str(), times, 0), 0);
  const struct stat attributes = StatOf(Path("f"));
  EXPECT_EQ(attributes.st_atim.tv_sec, 1'000'000'000);
  EXPECT_EQ(attributes.st_atim.tv_nsec, 123456789);
  EXPECT_EQ(attributes.st_mtim.tv_sec, -5);
  EXPECT_EQ(attributes.st_mtim.tv_nsec, 1);
  const timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  ASSERT_EQ(utimensat(AT_FDCWD, Path("f").c_str(), omit, 0), 0);
  EXPECT_EQ(StatOf(Path("f")).st_atim.tv_sec, 1'000'000'000);
  EXPECT_GT(StatOf(Path("f")).st_mtim.tv_sec, 1'700'000'000);
}

TEST_P(AttrsTest, WritingMovesModifiedAndChangedTimes) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{3 << 20}}) {
    const std::string path = Path("t" + std::to_string(size));
    ASSERT_TRUE(WriteFile(path, Pattern(size)));
    const struct stat first = StatOf(path);
    usleep(30'000);  // the kernel's clock for files, which passthrough goes by, stands still for a
                     // tick
    ASSERT_TRUE(WriteFile(path, "y", 0));
    const struct stat second = StatOf(path);
    EXPECT_TRUE(Before(first.st_mtim, second.st_mtim)) << size;
    EXPECT_TRUE(Before(first.st_ctim, second.st_ctim)) << size;
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    const struct stat third = StatOf(path);
    EXPECT_FALSE(Before(second.st_mtim, third.st_mtim)) << size;
    EXPECT_TRUE(Before(second.st_ctim, third.st_ctim)) << size;
  }
}

TEST_P(AttrsTest, NameChangesMoveTheDirectorysTimes) {
  const struct stat first = StatOf(root());
  ASSERT_TRUE(WriteFile(Path("f"), ""));
  const struct stat second = StatOf(root());
  EXPECT_TRUE(Before(first.st_mtim, second.st_mtim));
  ASSERT_EQ(unlink(Path("f").c_str()), 0);
  EXPECT_TRUE(Before(second.st_mtim, StatOf(root()).st_mtim));
}

TEST_P(AttrsTest, BirthTimeStays) {
  ASSERT_TRUE(WriteFile(Path("f"), "x"));
  struct statx first, second;
  ASSERT_EQ(statx(AT_FDCWD, Path("f").c_str(), 0, STATX_BTIME | STATX_BASIC_STATS, &first), 0);
  ASSERT_TRUE(first.stx_mask & STATX_BTIME);
  EXPECT_GT(first.stx_btime.tv_sec, 1'700'000'000);
  ASSERT_TRUE(WriteFile(Path("f"), "longer"));
  ASSERT_EQ(statx(AT_FDCWD, Path("f").c_str(), 0, STATX_BTIME | STATX_BASIC_STATS, &second), 0);
  EXPECT_EQ(first.stx_btime.tv_nsec, second.stx_btime.tv_nsec);
  EXPECT_EQ(second.stx_size, 6u);
}

TEST_P(AttrsTest, InodeNumbersAreStableAndDistinct) {
  ASSERT_TRUE(WriteFile(Path("a"), ""));
  ASSERT_TRUE(WriteFile(Path("b"), ""));
  const ino_t a = StatOf(Path("a")).st_ino;
  EXPECT_NE(a, StatOf(Path("b")).st_ino);
  ASSERT_EQ(rename(Path("a").c_str(), Path("c").c_str()), 0);
  EXPECT_EQ(StatOf(Path("c")).st_ino, a);
}

TEST_P(AttrsTest, XattrsRoundTrip) {
  ASSERT_TRUE(WriteFile(Path("f"), "x"));
  const std::string path = Path("f");
  const std::string binary("\0\1\xff", 3);
  ASSERT_EQ(setxattr(path.c_str(), "user.color", "blue", 4, 0), 0) << strerror(errno);
  ASSERT_EQ(setxattr(path.c_str(), "user.binary", binary.data(), binary.size(), XATTR_CREATE), 0);
  EXPECT_EQ(setxattr(path.c_str(), "user.color", "red", 3, XATTR_CREATE), -1);
  EXPECT_EQ(errno, EEXIST);
  EXPECT_EQ(setxattr(path.c_str(), "user.none", "red", 3, XATTR_REPLACE), -1);
  EXPECT_EQ(errno, ENODATA);
  char buffer[64];
  EXPECT_EQ(getxattr(path.c_str(), "user.color", nullptr, 0), 4);
  EXPECT_EQ(getxattr(path.c_str(), "user.color", buffer, 2), -1);
  EXPECT_EQ(errno, ERANGE);
  ASSERT_EQ(getxattr(path.c_str(), "user.binary", buffer, sizeof buffer), 3);
  EXPECT_EQ(std::string(buffer, 3), binary);
  const ssize_t listed = listxattr(path.c_str(), buffer, sizeof buffer);
  ASSERT_EQ(listed, 23) << strerror(errno);
  EXPECT_EQ(listxattr(path.c_str(), nullptr, 0), 23);
  EXPECT_EQ(listxattr(path.c_str(), buffer, 5), -1);
  EXPECT_EQ(errno, ERANGE);
  ASSERT_EQ(removexattr(path.c_str(), "user.color"), 0);
  EXPECT_EQ(getxattr(path.c_str(), "user.color", buffer, sizeof buffer), -1);
  EXPECT_EQ(errno, ENODATA);
  EXPECT_EQ(removexattr(path.c_str(), "user.color"), -1);
  EXPECT_EQ(errno, ENODATA);
}

TEST_P(AttrsTest, LargeXattr) {
  ASSERT_TRUE(WriteFile(Path("f"), "x"));
  const std::string value = Pattern(60000);
  ASSERT_EQ(setxattr(Path("f").c_str(), "user.large", value.data(), value.size(), 0), 0)
      << strerror(errno);
  std::string seen(65536, '\0');
  ASSERT_EQ(getxattr(Path("f").c_str(), "user.large", seen.data(), seen.size()), 60000);
  EXPECT_EQ(seen.substr(0, 60000), value);
}

TEST_P(AttrsTest, SyntheticXattrsAnswerAndAreNotListed) {
  Put("object", "content");
  char buffer[256];
  const ssize_t size = getxattr(Path("object").c_str(), "user.s3.etag", buffer, sizeof buffer);
  ASSERT_GT(size, 0) << strerror(errno);
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(size)), Head("object")->etag);
  EXPECT_EQ(listxattr(Path("object").c_str(), buffer, sizeof buffer), 0);
}

TEST_P(AttrsTest, FileSystemSizeIsTheDisks) {
  struct statvfs ours, disk;
  ASSERT_EQ(statvfs(root().c_str(), &ours), 0);
  ASSERT_EQ(statvfs(data_.c_str(), &disk), 0);
  EXPECT_EQ(ours.f_blocks * ours.f_frsize, disk.f_blocks * disk.f_frsize);
  EXPECT_EQ(ours.f_namemax, 255u);
  EXPECT_GT(ours.f_bavail, 0u);
}

TEST_P(AttrsTest, RepeatedStatOfAnIdleFileSendsNoRequest) {
  ASSERT_TRUE(WriteFile(Path("f"), Pattern(100000)));
  StatOf(Path("f"));
  const std::uint64_t before = RequestsOnceClosed();
  for (int i = 0; i < 100; ++i) StatOf(Path("f"));
  EXPECT_EQ(Requests(), before);
}

}  // namespace
}  // namespace amphora::mount
