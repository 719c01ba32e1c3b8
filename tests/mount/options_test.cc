// What needs no kernel: option words, errno, conversions, the filter of recent names.
#include <gtest/gtest.h>
#include <linux/falloc.h>

#include <cerrno>

#include "mount/convert.h"
#include "mount/errno.h"
#include "mount/session.h"

namespace amphora::mount {
namespace {

TEST(MountOptionsTest, WordsSetFields) {
  MountOptions options;
  std::string culprit;
  ASSERT_TRUE(
      ParseMountOptions("ro,noexec,nosuid,nodev,noio_uring,nopassthrough,threads=7,x-systemd.a",
                        options, culprit)
          .ok());
  EXPECT_TRUE(options.read_only && options.noexec && options.nosuid && options.nodev);
  EXPECT_FALSE(options.use_io_uring || options.use_passthrough);
  EXPECT_EQ(options.threads, 7u);
}

TEST(MountOptionsTest, UnknownWordIsNamedAndChangesNothing) {
  for (const char* word : {"bogus", "threads=x", "threads=", "threads=257", "threads=-1", "ROO"}) {
    MountOptions options;
    std::string culprit;
    const Status status =
        ParseMountOptions(std::string("ro,") + word + ",noexec", options, culprit);
    EXPECT_TRUE(status.Is(ErrorCode::kInvalidArgument)) << word;
    EXPECT_EQ(culprit, word);
    EXPECT_FALSE(options.read_only || options.noexec) << word;
  }
}

TEST(MountOptionsTest, LaterWordsWin) {
  MountOptions options;
  std::string culprit;
  ASSERT_TRUE(ParseMountOptions("ro,rw,,defaults,_netdev", options, culprit).ok());
  EXPECT_FALSE(options.read_only);
  EXPECT_FALSE(options.allow_other.has_value());
  ASSERT_TRUE(ParseMountOptions("noatime,relatime", options, culprit).ok());
  EXPECT_TRUE(options.relatime);
  ASSERT_TRUE(ParseMountOptions("relatime,nodiratime,noatime", options, culprit).ok());
  EXPECT_FALSE(options.relatime);
  ASSERT_TRUE(ParseMountOptions("noallow_other,allow_other", options, culprit).ok());
  EXPECT_EQ(options.allow_other, true);
  ASSERT_TRUE(ParseMountOptions("noallow_other", options, culprit).ok());
  EXPECT_EQ(options.allow_other, false);
}

TEST(ErrnoTest, EveryCodeHasOne) {
#define AMPHORA_ERROR(name, number, level, meaning) EXPECT_GT(ToErrno(ErrorCode::name), 0) << #name;
#include "meta/base/errors.def"
#undef AMPHORA_ERROR
  EXPECT_EQ(ToErrno(ErrorCode::kCrossBucket), EXDEV);
  EXPECT_EQ(ToErrno(ErrorCode::kNoAttribute), ENODATA);
  EXPECT_EQ(ToErrno(ErrorCode::kOutOfRange), ENXIO);
}

TEST(ConvertTest, KindsRoundTrip) {
  for (const fs::FileKind kind :
       {fs::FileKind::kRegular, fs::FileKind::kDirectory, fs::FileKind::kSymlink,
        fs::FileKind::kFifo, fs::FileKind::kSocket, fs::FileKind::kCharacterDevice,
        fs::FileKind::kBlockDevice}) {
    EXPECT_EQ(ToKind(ToMode(kind, 0755)), kind);
  }
  EXPECT_EQ(ToKind(0), fs::FileKind::kRegular);
  EXPECT_FALSE(ToKind(S_IFMT).has_value());
}

TEST(ConvertTest, OnlyKnownFlagsPass) {
  EXPECT_FALSE(ToAllocateMode(FALLOC_FL_COLLAPSE_RANGE).has_value());
  EXPECT_FALSE(ToAllocateMode(FALLOC_FL_PUNCH_HOLE).has_value());
  EXPECT_FALSE(ToRenameMode(RENAME_WHITEOUT).has_value());
  EXPECT_FALSE(ToRenameMode(RENAME_EXCHANGE | RENAME_NOREPLACE).has_value());
  EXPECT_FALSE(ToXattrMode(3).has_value());
}

TEST(ConvertTest, BlocksRoundUpAndTimesGoBelowZero) {
  fs::Attributes attributes;
  attributes.inode = fs::InodeId(7);
  attributes.allocated = 513;
  attributes.modified = Time(-1);
  const struct stat out = ToStat(attributes);
  EXPECT_EQ(out.st_blocks, 2);
  EXPECT_EQ(out.st_mtim.tv_sec, -1);
  EXPECT_EQ(out.st_mtim.tv_nsec, 999'999'999);
}

TEST(ConvertTest, SetattrNowBeatsATime) {
  struct stat wanted = {};
  const auto change = ToChange(wanted, FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW);
  EXPECT_TRUE(change.modified_now);
  EXPECT_FALSE(change.modified.has_value());
  EXPECT_TRUE(ToChange(wanted, FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_KILL_SUID).kill_privileges);
  EXPECT_FALSE(ToChange(wanted, FUSE_SET_ATTR_SIZE).kill_privileges);
}

TEST(RecentNamesTest, NotedNamesAreFound) {
  const auto names = std::make_unique<RecentNames>();
  EXPECT_FALSE(names->WasNoted(fs::InodeId(1), "a"));
  names->Note(fs::InodeId(1), "a");
  EXPECT_TRUE(names->WasNoted(fs::InodeId(1), "a"));
}

}  // namespace
}  // namespace amphora::mount
