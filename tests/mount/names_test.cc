// Names through the kernel: making, finding, linking, moving and removing them.
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>

#include "tests/mount/fixture.h"

namespace amphora::mount {
namespace {

class NamesTest : public ModeTest {};
INSTANTIATE_TEST_SUITE_P(Modes, NamesTest, ::testing::ValuesIn(kAllModes), ModeName);

TEST_P(NamesTest, CreatedFileBelongsToItsCreatorWithModeAndUmask) {
  AMPHORA_ROOT_ONLY("can't become another user");
  AsUser(1234, 2345, [&] {
    umask(027);
    ASSERT_TRUE(WriteFile(Path("mine"), "x", O_EXCL, 0666));
    ASSERT_EQ(mkdir(Path("dir").c_str(), 0777), 0);
    ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0666), 0);
  });
  const struct stat file = StatOf(Path("mine"));
  EXPECT_EQ(file.st_uid, 1234u);
  EXPECT_EQ(file.st_gid, 2345u);
  EXPECT_EQ(file.st_mode, S_IFREG | 0640u);
  EXPECT_EQ(StatOf(Path("dir")).st_mode, S_IFDIR | 0750u);
  EXPECT_EQ(StatOf(Path("fifo")).st_mode, S_IFIFO | 0640u);
}

TEST_P(NamesTest, SetgidDirectoryPassesItsGroupOn) {
  AMPHORA_ROOT_ONLY("can't become another user");
  ASSERT_EQ(mkdir(Path("d").c_str(), 0777), 0);
  ASSERT_EQ(chown(Path("d").c_str(), 0, 777), 0);
  ASSERT_EQ(chmod(Path("d").c_str(), 02777), 0);
  AsUser(1000, 1000, [&] {
    ASSERT_TRUE(WriteFile(Path("d/file"), "x"));
    ASSERT_EQ(mkdir(Path("d/sub").c_str(), 0755), 0);
  });
  EXPECT_EQ(StatOf(Path("d/file")).st_gid, 777u);
  EXPECT_EQ(StatOf(Path("d/sub")).st_gid, 777u);
  EXPECT_EQ(StatOf(Path("d/sub")).st_mode & S_ISGID, static_cast<mode_t>(S_ISGID));
}

TEST_P(NamesTest, OthersAreRefusedByPermissionBits) {
  AMPHORA_ROOT_ONLY("can't become another user");
  ASSERT_TRUE(WriteFile(Path("secret"), "x", O_EXCL, 0600));
  ASSERT_EQ(mkdir(Path("closed").c_str(), 0700), 0);
  AsUser(1000, 1000, [&] {
    EXPECT_FALSE(Fd(open(Path("secret").c_str(), O_RDONLY)).ok());
    EXPECT_EQ(errno, EACCES);
    EXPECT_EQ(StatErrno(Path("closed/any")), EACCES);
    EXPECT_EQ(chmod(Path("secret").c_str(), 0666), -1);
    EXPECT_EQ(errno, EPERM);
  });
}

TEST_P(NamesTest, ExclusiveCreateOfATakenNameFails) {
  ASSERT_TRUE(WriteFile(Path("a"), "1", O_EXCL));
  EXPECT_FALSE(WriteFile(Path("a"), "2", O_EXCL));
  EXPECT_EQ(errno, EEXIST);
  EXPECT_EQ(ReadFile(Path("a")), "1");
  EXPECT_EQ(mkdir(Path("a").c_str(), 0755), -1);
  EXPECT_EQ(errno, EEXIST);
}

TEST_P(NamesTest, MissingNameIsAskedForOnce) {
  EXPECT_EQ(StatErrno(Path("missing")), ENOENT);
  const std::uint64_t before = RequestsOnceClosed();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(StatErrno(Path("missing")), ENOENT);
  EXPECT_EQ(Requests(), before);
}

TEST_P(NamesTest, KnownNameIsAskedForOnce) {
  ASSERT_TRUE(WriteFile(Path("known"), "abc"));
  EXPECT_EQ(StatOf(Path("known")).st_size, 3);
  const std::uint64_t before = RequestsOnceClosed();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(StatOf(Path("known")).st_size, 3);
  EXPECT_EQ(Requests(), before);
}

TEST_P(NamesTest, RenameReplaces) {
  ASSERT_TRUE(WriteFile(Path("from"), "new"));
  ASSERT_TRUE(WriteFile(Path("to"), "old"));
  ASSERT_EQ(rename(Path("from").c_str(), Path("to").c_str()), 0) << strerror(errno);
  EXPECT_EQ(ReadFile(Path("to")), "new");
  EXPECT_EQ(StatErrno(Path("from")), ENOENT);
  EXPECT_EQ(NamesIn(root()), std::set<std::string>{"to"});
}

TEST_P(NamesTest, RenameFlags) {
  ASSERT_TRUE(WriteFile(Path("a"), "A"));
  ASSERT_TRUE(WriteFile(Path("b"), "B"));
  EXPECT_EQ(renameat2(AT_FDCWD, Path("a").c_str(), AT_FDCWD, Path("b").c_str(), RENAME_NOREPLACE),
            -1);
  EXPECT_EQ(errno, EEXIST);
  EXPECT_EQ(renameat2(AT_FDCWD, Path("a").c_str(), AT_FDCWD, Path("b").c_str(), RENAME_EXCHANGE),
            0);
  EXPECT_EQ(ReadFile(Path("a")), "B");
  EXPECT_EQ(ReadFile(Path("b")), "A");
  EXPECT_EQ(renameat2(AT_FDCWD, Path("a").c_str(), AT_FDCWD, Path("c").c_str(), RENAME_NOREPLACE),
            0);
  EXPECT_EQ(ReadFile(Path("c")), "B");
  EXPECT_EQ(renameat2(AT_FDCWD, Path("c").c_str(), AT_FDCWD, Path("w").c_str(), RENAME_WHITEOUT),
            -1);
  EXPECT_EQ(errno, EINVAL);
  ASSERT_EQ(mkdir(Path("dir").c_str(), 0755), 0);
  EXPECT_EQ(renameat2(AT_FDCWD, Path("dir").c_str(), AT_FDCWD, Path("c").c_str(), RENAME_EXCHANGE),
            0);
  EXPECT_TRUE(S_ISDIR(StatOf(Path("c")).st_mode));
  EXPECT_TRUE(S_ISREG(StatOf(Path("dir")).st_mode));
}

TEST_P(NamesTest, DirectoryRenameKeepsItsTree) {
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  ASSERT_EQ(mkdir(Path("d/e").c_str(), 0755), 0);
  ASSERT_TRUE(WriteFile(Path("d/e/f"), "deep"));
  EXPECT_EQ(rename(Path("d").c_str(), Path("d/e/x").c_str()), -1);
  EXPECT_EQ(errno, EINVAL);
  ASSERT_EQ(rename(Path("d").c_str(), Path("moved").c_str()), 0);
  EXPECT_EQ(ReadFile(Path("moved/e/f")), "deep");
  EXPECT_EQ(StatErrno(Path("d")), ENOENT);
  ASSERT_EQ(mkdir(Path("full").c_str(), 0755), 0);
  ASSERT_TRUE(WriteFile(Path("full/x"), ""));
  EXPECT_EQ(rename(Path("moved").c_str(), Path("full").c_str()), -1);
  EXPECT_EQ(errno, ENOTEMPTY);
  EXPECT_EQ(StatOf(Path("moved")).st_nlink, 3u);
}

TEST_P(NamesTest, HardLinksAreOneFile) {
  ASSERT_TRUE(WriteFile(Path("one"), "1"));
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  ASSERT_EQ(link(Path("one").c_str(), Path("d/two").c_str()), 0);
  EXPECT_EQ(StatOf(Path("one")).st_nlink, 2u);
  EXPECT_EQ(StatOf(Path("one")).st_ino, StatOf(Path("d/two")).st_ino);
  ASSERT_TRUE(WriteFile(Path("d/two"), "changed"));
  EXPECT_EQ(ReadFile(Path("one")), "changed");
  ASSERT_EQ(unlink(Path("one").c_str()), 0);
  EXPECT_EQ(StatOf(Path("d/two")).st_nlink, 1u);
  EXPECT_EQ(ReadFile(Path("d/two")), "changed");
  EXPECT_EQ(link(Path("d").c_str(), Path("dirlink").c_str()), -1);
  EXPECT_EQ(errno, EPERM);
}

TEST_P(NamesTest, SymlinksKeepTheirTarget) {
  ASSERT_TRUE(WriteFile(Path("target"), "T"));
  ASSERT_EQ(symlink("target", Path("link").c_str()), 0);
  char buffer[64] = {};
  ASSERT_EQ(readlink(Path("link").c_str(), buffer, sizeof buffer), 6);
  EXPECT_STREQ(buffer, "target");
  EXPECT_EQ(ReadFile(Path("link")), "T");
  EXPECT_EQ(StatOf(Path("link")).st_size, 6);
  const std::string longest(4095, 'x');
  ASSERT_EQ(symlink(longest.c_str(), Path("long").c_str()), 0) << strerror(errno);
  std::string read(5000, '\0');
  EXPECT_EQ(readlink(Path("long").c_str(), read.data(), read.size()), 4095);
}

TEST_P(NamesTest, SpecialFiles) {
  AMPHORA_ROOT_ONLY("can't make devices");
  ASSERT_EQ(mknod(Path("null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0) << strerror(errno);
  ASSERT_EQ(mknod(Path("block").c_str(), S_IFBLK | 0600, makedev(7, 9)), 0);
  ASSERT_EQ(mknod(Path("plain").c_str(), S_IFREG | 0600, 0), 0);
  EXPECT_EQ(StatOf(Path("null")).st_rdev, makedev(1, 3));
  EXPECT_TRUE(S_ISCHR(StatOf(Path("null")).st_mode));
  EXPECT_EQ(StatOf(Path("block")).st_rdev, makedev(7, 9));
  EXPECT_TRUE(S_ISREG(StatOf(Path("plain")).st_mode));
  EXPECT_TRUE(WriteFile(Path("null"), "swallowed", 0));
  const Fd server(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", Path("sock").c_str());
  ASSERT_EQ(bind(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(S_ISSOCK(StatOf(Path("sock")).st_mode));
}

TEST_P(NamesTest, UnlinkedFileLivesWhileOpen) {
  ASSERT_TRUE(WriteFile(Path("gone"), "before"));
  const Fd file(open(Path("gone").c_str(), O_RDWR));
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(unlink(Path("gone").c_str()), 0);
  EXPECT_EQ(StatErrno(Path("gone")), ENOENT);
  ASSERT_EQ(pwrite(file.get(), "AFTER!", 6, 6), 6);
  char buffer[12];
  ASSERT_EQ(pread(file.get(), buffer, 12, 0), 12);
  EXPECT_EQ(std::string(buffer, 12), "beforeAFTER!");
  struct stat attributes;
  ASSERT_EQ(fstat(file.get(), &attributes), 0);
  EXPECT_EQ(attributes.st_nlink, 0u);
  EXPECT_EQ(attributes.st_size, 12);
}

TEST_P(NamesTest, UnnamedFileGetsANameByLink) {
  const Fd file(open(root().c_str(), O_TMPFILE | O_RDWR, 0640));
  ASSERT_TRUE(file.ok()) << strerror(errno);
  ASSERT_EQ(write(file.get(), "tmp", 3), 3);
  EXPECT_TRUE(NamesIn(root()).empty());
  const std::string self = "/proc/self/fd/" + std::to_string(file.get());
  ASSERT_EQ(linkat(AT_FDCWD, self.c_str(), AT_FDCWD, Path("named").c_str(), AT_SYMLINK_FOLLOW), 0)
      << strerror(errno);
  EXPECT_EQ(ReadFile(Path("named")), "tmp");
  EXPECT_EQ(StatOf(Path("named")).st_mode, S_IFREG | 0640u);
  EXPECT_EQ(StatOf(Path("named")).st_nlink, 1u);
}

TEST_P(NamesTest, RemovingKindsByTheWrongCall) {
  ASSERT_TRUE(WriteFile(Path("file"), ""));
  ASSERT_EQ(mkdir(Path("dir").c_str(), 0755), 0);
  ASSERT_TRUE(WriteFile(Path("dir/x"), ""));
  EXPECT_EQ(rmdir(Path("file").c_str()), -1);
  EXPECT_EQ(errno, ENOTDIR);
  EXPECT_EQ(unlink(Path("dir").c_str()), -1);
  EXPECT_EQ(errno, EISDIR);
  EXPECT_EQ(rmdir(Path("dir").c_str()), -1);
  EXPECT_EQ(errno, ENOTEMPTY);
  ASSERT_EQ(unlink(Path("dir/x").c_str()), 0);
  EXPECT_EQ(rmdir(Path("dir").c_str()), 0);
  EXPECT_EQ(StatErrno(Path("dir")), ENOENT);
}

TEST_P(NamesTest, NamesUpTo255BytesOfAnyKind) {
  for (const std::string& name : {std::string(255, 'n'), std::string("sp ace+%25'\"\\"),
                                  std::string("\xff\xfe"), std::string("\xc3\xbc\xe2\x82\xac"),
                                  std::string("new\nline"), std::string("-"), std::string("...")}) {
    ASSERT_TRUE(WriteFile(Path(name), name)) << name << ": " << strerror(errno);
    EXPECT_EQ(ReadFile(Path(name)), name);
    EXPECT_TRUE(NamesIn(root()).contains(name));
  }
  EXPECT_FALSE(WriteFile(Path(std::string(256, 'n')), ""));
  EXPECT_EQ(errno, ENAMETOOLONG);
}

TEST_P(NamesTest, RemovedWorkingDirectoryStaysUsable) {
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  const Fd directory(open(Path("d").c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_TRUE(directory.ok());
  ASSERT_EQ(rmdir(Path("d").c_str()), 0);
  struct stat attributes;
  ASSERT_EQ(fstat(directory.get(), &attributes), 0);
  EXPECT_EQ(attributes.st_nlink, 0u);
  EXPECT_EQ(openat(directory.get(), "x", O_CREAT | O_WRONLY, 0644), -1);
  EXPECT_EQ(errno, ENOENT);
}

TEST_P(NamesTest, StickyDirectoryProtectsOthersFiles) {
  AMPHORA_ROOT_ONLY("can't become another user");
  ASSERT_EQ(mkdir(Path("tmp").c_str(), 0777), 0);
  ASSERT_EQ(chmod(Path("tmp").c_str(), 01777), 0);
  AsUser(1000, 1000, [&] { ASSERT_TRUE(WriteFile(Path("tmp/theirs"), "x")); });
  AsUser(1001, 1001, [&] {
    EXPECT_EQ(unlink(Path("tmp/theirs").c_str()), -1);
    EXPECT_EQ(errno, EPERM);
  });
}

}  // namespace
}  // namespace amphora::mount
