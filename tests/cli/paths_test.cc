// Store paths and directories as the command line takes them, and who holds a port or a lock.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "cli/commands/command.h"
#include "cli/proc.h"

namespace amphora::cli {
namespace {

TEST(StorePathTest, TakesStoreVolumeAndBucket) {
  EXPECT_EQ(ParseStorePath("/")->text(), "/");
  EXPECT_EQ(ParseStorePath("/s3v")->text(), "/s3v");
  EXPECT_EQ(ParseStorePath("/s3v/")->text(), "/s3v");
  EXPECT_EQ(ParseStorePath("/s3v/photos")->text(), "/s3v/photos");
}

TEST(StorePathTest, RefusalsNameTheCulprit) {
  for (const char* text : {"", "s3v", "/s3v/photos/2026", "/S3V", "/s3v/a", "//x", "/s3v/a b"}) {
    const Outcome<StorePath> path = ParseStorePath(text);
    ASSERT_FALSE(path.has_value()) << text;
    EXPECT_EQ(path.error().code, ExitCode::kUsage) << text;
    EXPECT_NE(path.error().text.find("'"), std::string::npos) << path.error().text;
  }
  EXPECT_FALSE(ParseVolumePath("/").has_value());
  EXPECT_FALSE(ParseVolumePath("/s3v/photos").has_value());
  EXPECT_FALSE(ParseBucketPath("/s3v").has_value());
}

TEST(AbsoluteDirectoryTest, IsPlainAndAbsolute) {
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(*AbsoluteDirectory("x"), here + "/x");
  EXPECT_EQ(*AbsoluteDirectory("x/"), here + "/x");
  EXPECT_EQ(*AbsoluteDirectory("/tmp/../tmp/y//"), "/tmp/y");
  EXPECT_EQ(*AbsoluteDirectory("/"), "/");
  EXPECT_FALSE(AbsoluteDirectory("").has_value());
  EXPECT_FALSE(AbsoluteDirectory("\xff").has_value());
}

TEST(ProcTest, FindsWhoListens) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(FindPortHolder(ntohs(address.sin_port)), DescribeProcess(getpid()));
  close(fd);
  EXPECT_EQ(FindPortHolder(ntohs(address.sin_port)), "");
}

TEST(ProcTest, FindsWhoLocks) {
  std::string directory = testing::TempDir() + "amphora-lock-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  EXPECT_EQ(FindLockHolder(directory), "");
  int ready[2];
  int end[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(end), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(end[1]);
    const int fd = open((directory + "/LOCK").c_str(), O_CREAT | O_RDWR, 0600);
    const bool locked = flock(fd, LOCK_EX) == 0;
    char byte = locked ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    if (read(end[0], &byte, 1) != 0) _exit(1);
    _exit(0);
  }
  close(end[0]);
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_EQ(FindLockHolder(directory), DescribeProcess(child));
  close(end[1]);
  close(ready[0]);
  close(ready[1]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace amphora::cli
