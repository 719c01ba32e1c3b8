// Keys, records, escapes and names: round trips, order, golden bytes, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "fs/escape.h"
#include "fs/keys.h"
#include "fs/records.h"

namespace amphora::fs {
namespace {

std::string RandomName(std::mt19937_64& random) {
  static constexpr std::string_view kAlphabet("ab/.%@:\0\xff\x20!0", 13);
  std::string name;
  const std::size_t length = random() % 8;
  for (std::size_t i = 0; i < length; ++i) {
    char c = kAlphabet[random() % kAlphabet.size()];
    if (c == '/') c = 'z';
    name.push_back(c);
  }
  if (random() % 4 == 0) name.insert(0, kEscapePrefix);
  return name;
}

TEST(EscapeTest, PlainNamesStayAsTheyAre) {
  for (const char* name : {"a", "a b", "%", "a%2Fb", "@amphora", "...", "-", "\xff"}) {
    EXPECT_EQ(ToVisibleName(name, false, false), name);
    EXPECT_TRUE(IsPlainName(name));
  }
}

TEST(EscapeTest, NamesThatPosixCannotCarryAreEscaped) {
  EXPECT_EQ(ToVisibleName("", true, false), "@amphora@d:");
  EXPECT_EQ(ToVisibleName("", false, false), "@amphora@f:");
  EXPECT_EQ(ToVisibleName(".", true, false), "@amphora@d:.");
  EXPECT_EQ(ToVisibleName("..", false, false), "@amphora@f:..");
  EXPECT_EQ(ToVisibleName(std::string_view("a\0b", 3), false, false), "@amphora@f:a%00b");
  EXPECT_EQ(ToVisibleName("a", false, true), "@amphora@f:a");
  EXPECT_EQ(ToVisibleName("@amphora@f:a", false, false), "@amphora@f:@amphora@f:a");
}

TEST(EscapeTest, EveryNameComesBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const std::string raw = RandomName(random);
    const bool directory = random() % 2 == 0;
    const bool shadowed = random() % 2 == 0;
    const std::string visible = ToVisibleName(raw, directory, shadowed);
    ASSERT_FALSE(visible.empty());
    ASSERT_EQ(visible.find('\0'), std::string::npos);
    ASSERT_EQ(visible.find('/'), std::string::npos);
    ASSERT_TRUE(visible != "." && visible != "..");
    const auto decoded = DecodeVisibleName(visible);
    ASSERT_TRUE(decoded.ok());
    ASSERT_EQ(decoded->raw, raw);
    if (decoded->directory) {
      ASSERT_EQ(*decoded->directory, directory);
    }
  }
}

TEST(EscapeTest, NamesThatOnlyLookEscapedAreRefused) {
  for (const char* name : {"@amphora@", "@amphora@x:a", "@amphora@f", "@amphora@fa", "@amphora@f:%",
                           "@amphora@f:%2", "@amphora@f:%41", "@amphora@f:%2F", "@amphora@f:%zz"}) {
    EXPECT_TRUE(DecodeVisibleName(name).Is(ErrorCode::kInvalidArgument)) << name;
  }
  const std::string with_nul("@amphora@f:a\0", 13);
  EXPECT_TRUE(DecodeVisibleName(with_nul).Is(ErrorCode::kInvalidArgument));
}

TEST(KeysTest, OrderOfSiblingNamesIsOrderOfWholeKeys) {
  std::mt19937_64 random(2);
  std::vector<std::pair<std::string, std::string>> keys;
  for (int i = 0; i < 2000; ++i) {
    const std::string name = RandomName(random);
    const bool directory = random() % 2 == 0;
    keys.emplace_back(DentryKey(InodeId(7), name, directory), name + (directory ? "/" : ""));
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; }));
}

TEST(KeysTest, PartsComeBack) {
  const std::string dentry = DentryKey(InodeId(0x0102030405060708), "na/me", true);
  EXPECT_EQ(dentry, std::string("D\1\2\3\4\5\6\7\10na/me/", 15));
  EXPECT_EQ(DecodeInodeOf(dentry)->value(), 0x0102030405060708u);
  EXPECT_EQ(*DecodeNameOf(dentry), (EntryName{"na/me", true}));
  EXPECT_EQ(*DecodePositionOf(PositionKey(InodeId(1), 77)), 77u);
  EXPECT_EQ(DecodeBlobOf(GarbageKey(BlobId(5)))->value(), 5u);
  EXPECT_EQ(DecodeTextOf(XattrKey(InodeId(3), "user.a")), "user.a");
  EXPECT_EQ(DecodeTextOf(BucketKey(VolumeId(3), "b")), "b");
  EXPECT_EQ(DecodeTextOf(AccessKeyKey("id")), "id");
}

TEST(KeysTest, PartsOfUploadsComeBack) {
  EXPECT_EQ(ExtentKey(InodeId(1), 258), std::string("E\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1\2", 17));
  EXPECT_EQ(PartKey(UploadId(1), 258), std::string("P\0\0\0\0\0\0\0\1\0\0\1\2", 13));
  EXPECT_EQ(*DecodeOffsetOf(ExtentKey(InodeId(1), 258)), 258u);
  EXPECT_EQ(*DecodePartNumberOf(PartKey(UploadId(9), 10'000)), 10'000u);
  EXPECT_EQ(DecodeUploadOf(PartKey(UploadId(9), 1))->value(), 9u);
  EXPECT_EQ(DecodeUploadOf(UploadBlobKey(UploadId(9), BlobId(4)))->value(), 9u);
  EXPECT_EQ(DecodeBlobOf(UploadBlobKey(UploadId(9), BlobId(4)))->value(), 4u);
  EXPECT_EQ(DecodeInodeOf(JoinKey(InodeId(7)))->value(), 7u);
  for (const std::string& name : {std::string("a"), std::string("a\0b", 3), std::string("\0", 1),
                                  std::string("\0\xff", 2), std::string("a\xff")}) {
    const std::string key = UploadKey(BucketId(3), name, UploadId(5));
    EXPECT_EQ(*DecodeUploadedKeyOf(key), name);
    EXPECT_EQ(DecodeUploadOf(key)->value(), 5u);
    EXPECT_EQ(DecodeInodeOf(key)->value(), 3u);
  }
  for (const std::string& key :
       {std::string("M1234567"), std::string("P12345678"), std::string()}) {
    EXPECT_TRUE(DecodeUploadedKeyOf(key).Is(ErrorCode::kCorrupt));
    EXPECT_TRUE(DecodePartNumberOf(key).Is(ErrorCode::kCorrupt));
    EXPECT_TRUE(DecodeOffsetOf(key).Is(ErrorCode::kCorrupt));
  }
}

TEST(KeysTest, AKeyOfAnUploadIsReadInItsOneFormOnly) {
  const std::string good = UploadKey(BucketId(3), std::string("a\0b", 3), UploadId(5));
  ASSERT_TRUE(DecodeUploadedKeyOf(good).ok());
  for (const std::size_t damaged : {good.find('\xff'), good.size() - 9}) {
    std::string key = good;
    key[damaged] = 'x';
    EXPECT_TRUE(DecodeUploadedKeyOf(key).Is(ErrorCode::kCorrupt)) << damaged;
  }
}

TEST(KeysTest, UploadsAreInTheOrderOfTheirKeys) {
  std::mt19937_64 random(3);
  std::vector<std::pair<std::string, std::pair<std::string, std::uint64_t>>> keys;
  for (int i = 0; i < 2000; ++i) {
    std::string name;
    for (std::size_t n = random() % 6; n > 0; --n) name.push_back("\0ab\xff"[random() % 4]);
    const std::uint64_t upload = 1 + random() % 1000;
    keys.push_back({UploadKey(BucketId(7), name, UploadId(upload)), {name, upload}});
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; }));
  EXPECT_LT(UploadKey(BucketId(7), "a", UploadId(1ull << 40)),
            UploadsAfter(BucketId(7), "a").begin);
  EXPECT_GE(UploadKey(BucketId(7), std::string("a\0", 2), UploadId(1)),
            UploadsAfter(BucketId(7), "a").begin);
}

TEST(KeysTest, DamagedKeysAreCorrupt) {
  for (const std::string& key :
       {std::string(), std::string("D"), std::string("I\1\2"), std::string("?12345678")}) {
    EXPECT_TRUE(DecodeInodeOf(key).Is(ErrorCode::kCorrupt));
    EXPECT_TRUE(DecodeBlobOf(key).Is(ErrorCode::kCorrupt));
    EXPECT_TRUE(DecodePositionOf(key).Is(ErrorCode::kCorrupt));
  }
}

TEST(KeysTest, PrefixEndIsTheSmallestGreaterKey) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
}

TEST(RecordsTest, AnInodeComesBackWhole) {
  InodeRecord record;
  record.kind = FileKind::kRegular;
  record.permissions = 06755;
  record.uid = 4'000'000'000;
  record.gid = 7;
  record.links = 3;
  record.size = 1ull << 62;
  record.born = Time(1'700'000'000'000'000'001);
  record.accessed = Time(-5);
  record.modified = Time(2'000'000'000'000'000'000);
  record.changed = record.born;
  record.last_modified = Time(0);
  record.device = 0x501;
  record.bucket = BucketId(99);
  record.content = ContentKind::kBlob;
  record.blob = BlobId(12);
  record.content_stamp = UINT64_MAX;
  record.etag = std::string(16, '\xab');
  record.object.content_type = "text/plain";
  record.object.user = {{"a", "1"}, {"b", ""}};
  record.implicit = true;
  record.symlink = "to";
  record.checksum = {.kind = DigestKind::kCrc64Nvme, .value = std::string("\0\1", 2)};
  record.parent = InodeId(4);
  record.name = "n";
  record.has_xattrs = true;
  record.parts = 10'000;
  record.part_runs = {{.size = 5ull << 20, .count = 9'999}, {.size = 0, .count = 1}};
  record.upload = 1ull << 50;
  const auto decoded = DecodeInode(Encode(record));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(Encode(*decoded), Encode(record));
  EXPECT_EQ(decoded->accessed, record.accessed);
  EXPECT_EQ(decoded->object.user, record.object.user);
  EXPECT_EQ(decoded->checksum, record.checksum);
  EXPECT_EQ(decoded->part_runs, record.part_runs);
  EXPECT_EQ(decoded->content_stamp, record.content_stamp);
}

// utimensat may set any of them; they are kept as differences, which must not overflow.
TEST(RecordsTest, TimesAtBothEndsOfTheRangeComeBack) {
  InodeRecord record;
  record.born = Time(1'700'000'000'000'000'000);
  record.accessed = Time(std::numeric_limits<std::int64_t>::min());
  record.modified = Time(std::numeric_limits<std::int64_t>::max());
  const auto decoded = DecodeInode(Encode(record));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->accessed, record.accessed);
  EXPECT_EQ(decoded->modified, record.modified);
}

TEST(RecordsTest, UploadsPartsAndExtentsComeBackWhole) {
  UploadRecord upload;
  upload.initiated = Time(1'700'000'000'000'000'001);
  upload.uid = 1;
  upload.gid = 2;
  upload.owner = "o";
  upload.object.content_type = "text/plain";
  upload.checksum = DigestKind::kSha256;
  upload.checksum_type = ChecksumType::kComposite;
  upload.checksum_chosen = true;
  upload.secret = UINT64_MAX;
  const auto decoded = DecodeUpload(Encode(upload));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(Encode(*decoded), Encode(upload));
  EXPECT_EQ(decoded->secret, upload.secret);
  EXPECT_TRUE(DecodeUpload("").Is(ErrorCode::kCorrupt));

  PartRecord part{5, std::string(16, 'e'), "c", Time(7), BlobId(9), 11, true};
  EXPECT_EQ(Encode(*DecodePart(Encode(part))), Encode(part));
  const ExtentRecord extent{BlobId(1), 2, 3};
  EXPECT_EQ(*DecodeExtent(Encode(extent)), extent);
}

TEST(RecordsTest, AnOrdinarySmallFileIsSmall) {
  InodeRecord record;
  record.links = 1;
  record.permissions = 0644;
  record.size = 4096;
  record.born = record.accessed = record.modified = record.changed = record.last_modified =
      Time(1'700'000'000'000'000'001);
  record.bucket = BucketId(40);
  record.content = ContentKind::kInline;
  record.content_stamp = 1'700'000'000'000'000'001;
  record.etag = std::string(16, 'x');
  record.parent = InodeId(50);
  record.name = "file0000001";
  EXPECT_LT(Encode(record).size(), 90u);
}

TEST(RecordsTest, DamagedBytesAreCorrupt) {
  EXPECT_TRUE(DecodeInode("\xff\xff\xff").Is(ErrorCode::kCorrupt));
  EXPECT_TRUE(DecodeInode("").Is(ErrorCode::kCorrupt));  // no kind
  EXPECT_TRUE(DecodeDentry("\x10\x63").Is(ErrorCode::kCorrupt));
}

TEST(RecordsTest, EtagsOfPosixContentHoldADash) {
  InodeRecord record;
  record.content_stamp = 5;
  const std::string first = EtagText(InodeId(1), record);
  EXPECT_NE(first.find('-'), std::string::npos);
  record.content_stamp = 6;
  EXPECT_NE(EtagText(InodeId(1), record), first);
  record.etag = std::string("\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e", 16);
  EXPECT_EQ(EtagText(InodeId(1), record), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(NamesTest, BucketNamesFollowS3) {
  for (const char* name : {"abc", "a-b", "a.b.c", "1a2"}) EXPECT_TRUE(CheckBucketName(name).ok());
  EXPECT_TRUE(CheckBucketName(std::string(63, 'a')).ok());
  for (const char* name :
       {"", "ab", "Abc", "a_b", "-ab", "ab-", "a..b", "192.168.0.1", "a/b", ".ab"}) {
    EXPECT_TRUE(CheckBucketName(name).Is(ErrorCode::kBadName)) << name;
  }
  EXPECT_FALSE(CheckBucketName(std::string(64, 'a')).ok());
}

TEST(NamesTest, KeysAreUtf8UpTo1024Bytes) {
  EXPECT_TRUE(CheckObjectKey("a/b//c/../\xc3\xa9").ok());
  EXPECT_TRUE(CheckObjectKey(std::string(1024, 'k')).ok());
  EXPECT_TRUE(CheckObjectKey(std::string(1025, 'k')).Is(ErrorCode::kNameTooLong));
  for (const char* key : {"", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_TRUE(CheckObjectKey(key).Is(ErrorCode::kBadName));
  }
}

}  // namespace
}  // namespace amphora::fs
