// Mode, owner and mtime in user metadata, the defaults of a bucket, and metadata as xattrs.
#include "fs/ops/posix_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fs/data/file_fixture.h"

namespace amphora::fs {
namespace {

using ::testing::UnorderedElementsAre;

ObjectMetadata User(std::vector<std::pair<std::string, std::string>> user) {
  ObjectMetadata metadata;
  metadata.user = std::move(user);
  return metadata;
}

std::optional<std::int64_t> MtimeOf(const std::string& name, const std::string& text) {
  const auto given = ReadPosixMetadata(User({{name, text}})).modified;
  return given ? std::optional(given->nanoseconds()) : std::nullopt;
}

std::optional<std::uint32_t> ModeOf(const std::string& name, const std::string& text) {
  return ReadPosixMetadata(User({{name, text}})).permissions;
}

TEST(PosixMetadataTest, ModesOfEveryClient) {
  EXPECT_EQ(ModeOf("mode", "33188"), 0644u);   // s3fs, geesefs: 0100644
  EXPECT_EQ(ModeOf("mode", "16877"), 0755u);   // a directory: 040755
  EXPECT_EQ(ModeOf("mode", "100640"), 0640u);  // rclone --metadata
  EXPECT_EQ(ModeOf("mode", "40700"), 0700u);
  EXPECT_EQ(ModeOf("mode", "41777"), 01777u);
  EXPECT_EQ(ModeOf("mode", "41471"), 0777u);  // a symlink of s3fs: 0120777
  EXPECT_EQ(ModeOf("mode", "0600"), 0600u);
  EXPECT_EQ(ModeOf("mode", "36333"), 0755u);  // 0106755: no setuid, no setgid
  // s3fs, of a directory.
  EXPECT_EQ(ReadPosixMetadata(User({{"mode", "511"}, {"uid", "0"}, {"gid", "0"}})).permissions,
            0777u);
  EXPECT_EQ(ModeOf("mode", "511"), std::nullopt);
  EXPECT_EQ(ModeOf("file-permissions", "0100664"), 0664u);
  EXPECT_EQ(ModeOf("file-permissions", "0751"), 0751u);
  for (const char* bad : {"", "7", "dark", "644x", "-33188", "99999999", "0x1ff", "600"}) {
    EXPECT_EQ(ModeOf("mode", bad), std::nullopt) << bad;
  }
}

TEST(PosixMetadataTest, TimesOfEveryClient) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  EXPECT_EQ(MtimeOf("mtime", "1600000000"), 1'600'000'000 * kSecond);
  EXPECT_EQ(MtimeOf("mtime", "1600000000.123456789"), 1'600'000'000 * kSecond + 123'456'789);
  EXPECT_EQ(MtimeOf("mtime", "1600000000.5"), 1'600'000'000 * kSecond + 500'000'000);
  EXPECT_EQ(MtimeOf("mtime", "-1.25"), -kSecond - 250'000'000);
  EXPECT_EQ(MtimeOf("mtime", "2020-09-13T12:26:40Z"), 1'600'000'000 * kSecond);
  EXPECT_EQ(MtimeOf("mtime", "2020-09-13T14:26:40.000000007+02:00"), 1'600'000'000 * kSecond + 7);
  EXPECT_EQ(MtimeOf("file-mtime", "1600000000123ms"), 1'600'000'000 * kSecond + 123'000'000);
  EXPECT_EQ(MtimeOf("file-mtime", "1600000000123"), 1'600'000'000 * kSecond + 123'000'000);
  EXPECT_EQ(MtimeOf("file-mtime", "1600000000123456789ns"), 1'600'000'000'123'456'789);
  for (const char* bad : {"", ".", "1.", "1.x", "1e9", "yesterday", "99999999999999999999",
                          "9223372036854775807", "2020-09-13T12:26:40", "2020-09-13T12:26:40.Z",
                          "2020-09-13T12:26:40+2:00", "2020-09-13T12:26:40+24:00"}) {
    EXPECT_EQ(MtimeOf("mtime", bad), std::nullopt) << bad;
  }
  EXPECT_EQ(MtimeOf("file-mtime", "9223372036854775807"), std::nullopt);
}

TEST(PosixMetadataTest, OwnersAndWhichNameWins) {
  const auto given = ReadPosixMetadata(
      User({{"uid", "12"}, {"file-owner", "13"}, {"file-group", "14"}, {"gid", "-1"}}));
  EXPECT_EQ(given.uid, 12u);
  EXPECT_EQ(given.gid, 14u);
  EXPECT_FALSE(ReadPosixMetadata(User({{"uid", "4294967295"}})).uid);
}

class PosixS3Test : public test::FileTest {
 protected:
  Status Put(const Caller& caller, std::string_view key, ObjectMetadata metadata) {
    AMPHORA_ASSIGN(
        auto writer,
        objects().BeginPut(
            {.bucket = bucket_, .key = std::string(key), .declared_size = {}, .digests = {}}));
    AMPHORA_TRY(writer->Append(Bytes("content")));
    PutOptions options;
    options.metadata = std::move(metadata);
    options.caller = caller;
    const auto put = writer->Commit(options);
    return put.ok() ? Ok() : Status(put.error());
  }
  Attributes Stat(std::string_view name) { return *files().Lookup(root_, name); }
  void Set(const BucketSettingsChange& change) {
    ASSERT_TRUE(engine_->buckets().ChangeSettings("s3v", "bucket", change).ok());
  }
  std::string MetadataOf(std::string_view key, std::string_view name) {
    const auto info = objects().Head(bucket_, key);
    if (!info.ok()) return "(none)";
    for (const auto& [known, value] : info->metadata.user) {
      if (known == name) return value;
    }
    return "(none)";
  }
};

TEST_F(PosixS3Test, APutSetsWhatItsMetadataSays) {
  ASSERT_TRUE(
      Put({}, "f", User({{"mode", "33261"}, {"uid", "7"}, {"gid", "8"}, {"mtime", "5.5"}})).ok());
  const Attributes f = Stat("f");
  EXPECT_EQ(f.permissions, 0755u);
  EXPECT_EQ(f.uid, 7u);
  EXPECT_EQ(f.gid, 8u);
  EXPECT_EQ(f.modified.nanoseconds(), 5'500'000'000);
  // Of a name that is there, too; what is not said stays.
  ASSERT_TRUE(Put({}, "f", User({{"mode", "33152"}})).ok());
  EXPECT_EQ(Stat("f").permissions, 0600u);
  EXPECT_EQ(Stat("f").uid, 7u);
  EXPECT_EQ(MetadataOf("f", "mode"), "33152");
}

TEST_F(PosixS3Test, AUserGivesNothingAway) {
  const Caller user{1000, 1000, OriginId()};
  ASSERT_TRUE(Put(user, "f", User({{"uid", "0"}, {"gid", "0"}, {"mode", "36333"}})).ok());
  EXPECT_EQ(Stat("f").uid, 1000u);
  EXPECT_EQ(Stat("f").gid, 1000u);
  EXPECT_EQ(Stat("f").permissions, 0755u);
}

TEST_F(PosixS3Test, ADirectoryKeyTakesItsMetadataToo) {
  ASSERT_TRUE(PutObject("dir/key", "x").ok());
  auto writer =
      objects().BeginPut({.bucket = bucket_, .key = "dir/", .declared_size = 0, .digests = {}});
  ASSERT_TRUE(writer.ok());
  PutOptions options;
  options.metadata = User({{"mode", "16832"}, {"uid", "7"}, {"mtime", "100"}});
  ASSERT_TRUE((*writer)->Commit(options).ok());
  EXPECT_EQ(Stat("dir").permissions, 0700u);
  EXPECT_EQ(Stat("dir").uid, 7u);
  EXPECT_EQ(Stat("dir").modified.nanoseconds(), 100'000'000'000);
}

TEST_F(PosixS3Test, TheBucketsDefaultsAreForNewNames) {
  ASSERT_TRUE(Put({}, "old", {}).ok());
  BucketSettingsChange change;
  change.s3_uid = 21;
  change.s3_gid = 22;
  change.s3_permissions = 0640;
  Set(change);
  ASSERT_TRUE(Put({1000, 1000, OriginId()}, "dir/new", {}).ok());
  const InodeId dir = Stat("dir").inode;
  EXPECT_EQ(Stat("dir").permissions, 0750u);
  EXPECT_EQ(Stat("dir").uid, 21u);
  const Attributes fresh = *files().Lookup(dir, "new");
  EXPECT_EQ(fresh.permissions, 0640u);
  EXPECT_EQ(fresh.uid, 21u);
  EXPECT_EQ(fresh.gid, 22u);
  ASSERT_TRUE(Put({}, "old", {}).ok());
  EXPECT_EQ(Stat("old").permissions, 0644u);
  // What the metadata says goes before.
  ASSERT_TRUE(Put({}, "said", User({{"mode", "33024"}})).ok());
  EXPECT_EQ(Stat("said").permissions, 0400u);
}

TEST_F(PosixS3Test, HeadGivesWhatHoldsNowWhenAsked) {
  ASSERT_TRUE(Put({}, "f", User({{"mode", "33188"}, {"colour", "red"}})).ok());
  AttributeChange change;
  change.permissions = 0600;
  change.uid = 3;
  change.modified = Time(1'500'000'000);
  ASSERT_TRUE(files().SetAttributes(caller_, Stat("f").inode, change, nullptr).ok());
  EXPECT_EQ(MetadataOf("f", "mode"), "33188");
  EXPECT_EQ(MetadataOf("f", "uid"), "(none)");
  BucketSettingsChange settings;
  settings.posix_metadata = PosixMetadata::kAll;
  Set(settings);
  EXPECT_EQ(MetadataOf("f", "mode"), "33152");
  EXPECT_EQ(MetadataOf("f", "uid"), "3");
  EXPECT_EQ(MetadataOf("f", "mtime"), "1.500000000");
  EXPECT_EQ(MetadataOf("f", "file-permissions"), "0100600");
  EXPECT_EQ(MetadataOf("f", "file-owner"), "3");
  EXPECT_EQ(MetadataOf("f", "file-mtime"), "1500000000ns");
  EXPECT_EQ(MetadataOf("f", "colour"), "red");
  const auto reader = objects().Open(bucket_, "f");
  EXPECT_EQ((*reader)->info().metadata.user, objects().Head(bucket_, "f")->metadata.user);
}

TEST_F(PosixS3Test, MetadataIsSetAsXattrsBothWays) {
  ASSERT_TRUE(Put({}, "f", User({{"colour", "red"}})).ok());
  const InodeId f = Stat("f").inode;
  const std::string etag = objects().Head(bucket_, "f")->etag;
  EXPECT_EQ(*files().GetXattr(f, "user.s3.meta.colour"), "red");
  const auto set = [&](std::string_view name, std::string_view value,
                       XattrMode mode = XattrMode::kCreateOrReplace) {
    return files().SetXattr(caller_, f, name, value, mode);
  };
  EXPECT_TRUE(set("user.s3.meta.colour", "blue").ok());
  EXPECT_TRUE(set("user.s3.meta.size", "xl", XattrMode::kCreate).ok());
  EXPECT_TRUE(set("user.s3.content-type", "text/plain").ok());
  EXPECT_TRUE(set("user.s3.cache-control", "no-store").ok());
  EXPECT_TRUE(set("user.real", "1").ok());
  EXPECT_THAT(*files().ListXattrs(caller_, f),
              UnorderedElementsAre("user.s3.meta.colour", "user.s3.meta.size",
                                   "user.s3.content-type", "user.s3.cache-control", "user.real"));
  const auto info = objects().Head(bucket_, "f");
  EXPECT_EQ(info->metadata.content_type, "text/plain");
  EXPECT_EQ(MetadataOf("f", "colour"), "blue");
  EXPECT_EQ(info->etag, etag);
  EXPECT_TRUE(set("user.s3.meta.size", "m", XattrMode::kCreate).Is(ErrorCode::kExists));
  EXPECT_TRUE(set("user.s3.meta.none", "m", XattrMode::kReplace).Is(ErrorCode::kNoAttribute));
  EXPECT_TRUE(files().RemoveXattr(caller_, f, "user.s3.meta.size").ok());
  EXPECT_TRUE(files().RemoveXattr(caller_, f, "user.s3.meta.size").Is(ErrorCode::kNoAttribute));
  EXPECT_EQ(MetadataOf("f", "size"), "(none)");
}

TEST_F(PosixS3Test, MetadataThatNoHeaderCarriesIsRefused) {
  const InodeId f = WriteFile(root_, "f", "x");
  const auto set = [&](std::string_view name, std::string_view value) {
    return files().SetXattr(caller_, f, name, value, XattrMode::kCreateOrReplace);
  };
  EXPECT_TRUE(set("user.s3.meta.a", "line\r\nSet-Cookie: x").Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(set("user.s3.meta.a", "").Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(set("user.s3.meta.a", " x").Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(set("user.s3.meta.A", "x").Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(set("user.s3.meta.", "x").Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(set("user.s3.meta.a:b", "x").Is(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(set("user.s3.meta.a", std::string(2048, 'x')).Is(ErrorCode::kNoSpace));
  EXPECT_TRUE(set("user.s3.etag", "x").Is(ErrorCode::kNotPermitted));
  EXPECT_TRUE(set("user.s3.other", "x").Is(ErrorCode::kNotPermitted));
  EXPECT_TRUE(files()
                  .SetXattr(caller_, root_, "user.s3.meta.a", "x", XattrMode::kCreate)
                  .Is(ErrorCode::kNotPermitted));
  EXPECT_TRUE(files().ListXattrs(caller_, f)->empty());
}

}  // namespace
}  // namespace amphora::fs
