// What mount(8) says to its helper, in our words; and bucket settings in words.
#include "cli/mount_helper.h"

#include <gtest/gtest.h>

#include "cli/bucket_settings.h"

namespace amphora::cli {
namespace {

using Words = std::vector<std::string>;

TEST(MountHelperTest, IsKnownByItsName) {
  EXPECT_TRUE(IsMountHelper("/sbin/mount.fuse.amphora"));
  EXPECT_TRUE(IsMountHelper("mount.amphora"));
  EXPECT_FALSE(IsMountHelper("/usr/bin/amphora"));
  EXPECT_FALSE(IsMountHelper("/mount.amphora/amphora"));
}

TEST(MountHelperTest, TranslatesWhatMountPasses) {
  EXPECT_EQ(*TranslateMountArguments(Words{"/s3v/b", "/mnt", "-o", "rw,noexec,socket=/run/a"}),
            (Words{"mount", "/s3v/b", "/mnt", "-o", "rw,noexec", "--socket", "/run/a"}));
  EXPECT_EQ(*TranslateMountArguments(Words{"amphora:/s3v", "/mnt", "-t", "fuse.amphora"}),
            (Words{"mount", "/s3v", "/mnt"}));
  for (const char* whole : {"none", "amphora", "amphora:", "amphora:/", "/"}) {
    EXPECT_EQ(*TranslateMountArguments(Words{whole, "/mnt", "-sn"}), (Words{"mount", "/", "/mnt"}));
  }
  EXPECT_TRUE(TranslateMountArguments(Words{"/s3v", "/mnt", "-f"})->empty());
}

TEST(MountHelperTest, RefusesWhatItCannotDo) {
  for (const Words& words :
       {Words{"/s3v"}, Words{"/s3v", "/mnt", "/more"}, Words{"/s3v", "/mnt", "-o"},
        Words{"/s3v", "/mnt", "-N", "/proc/1/ns/mnt"}, Words{"/s3v", "/mnt", "-x"}}) {
    EXPECT_FALSE(TranslateMountArguments(words));
  }
}

TEST(BucketSettingsTest, AmountsAreExact) {
  EXPECT_EQ(ParseAmount("0"), 0u);
  EXPECT_EQ(ParseAmount("4095"), 4095u);
  EXPECT_EQ(ParseAmount("10k"), 10u << 10);
  EXPECT_EQ(ParseAmount("3MB"), 3u << 20);
  EXPECT_EQ(ParseAmount("2gib"), std::uint64_t{2} << 30);
  EXPECT_EQ(ParseAmount("4E"), std::uint64_t{1} << 62);
  for (const char* bad : {"", "K", "-1", "1.5G", "1 G", "1i", "1KBB", "5E", "4611686018427387905",
                          "99999999999999999999", "1B", "0x10"}) {
    EXPECT_FALSE(ParseAmount(bad)) << bad;
  }
}

TEST(BucketSettingsTest, OwnersAndModes) {
  EXPECT_EQ(ParseOwner("1000")->gid, 1000u);
  EXPECT_EQ(ParseOwner("0:5")->gid, 5u);
  EXPECT_EQ(ParsePermissions("0640"), 0640u);
  for (const char* bad : {"", ":", "1:", ":1", "a", "4294967295", "-1", "1:2:3"}) {
    EXPECT_FALSE(ParseOwner(bad)) << bad;
  }
  for (const char* bad : {"", "8", "1777", "u+x"}) EXPECT_FALSE(ParsePermissions(bad)) << bad;
}

TEST(BucketSettingsTest, JsonRoundTripsAndNamesWhatIsWrong) {
  const Json body = {{"quota_bytes", 5}, {"s3_uid", nullptr}, {"publish", "close"}};
  const auto change = ReadSettings(body);
  ASSERT_TRUE(change);
  EXPECT_EQ(**change->quota_bytes, 5u);
  EXPECT_TRUE(change->s3_uid && !*change->s3_uid);
  EXPECT_FALSE(change->quota_inodes);
  fs::BucketSettings settings;
  settings.publish = fs::Publish::kClose;
  EXPECT_EQ(WriteSettings(settings)["publish"], "close");
  for (const Json& bad :
       {Json{{"quota_bytes", -1}}, Json{{"quota_bytes", "1"}}, Json{{"publish", 1}},
        Json{{"publish", "later"}}, Json{{"s3_mode", 01000}}}) {
    const auto read = ReadSettings(bad);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().text.find(bad.begin().key()), std::string::npos);
  }
}

}  // namespace
}  // namespace amphora::cli
