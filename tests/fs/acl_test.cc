// Access control lists in the engine: their bytes, the mode that goes with them, inheritance, and
// what a PUT leaves of them.
#include "fs/acl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/engine_fixture.h"

namespace amphora::fs {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint32_t kNobody = UINT32_MAX;

struct Word {
  std::uint16_t tag;
  std::uint16_t permissions;
  std::uint32_t id = kNobody;
};

std::string List(std::initializer_list<Word> words) {
  std::string bytes("\2\0\0\0", 4);
  for (const Word& word : words) {
    for (unsigned i = 0; i < 2; ++i) bytes.push_back(static_cast<char>(word.tag >> (8 * i)));
    for (unsigned i = 0; i < 2; ++i)
      bytes.push_back(static_cast<char>(word.permissions >> (8 * i)));
    for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(word.id >> (8 * i)));
  }
  return bytes;
}

// user::rw- user:1001:rwx group::r-- mask::rw- other::---
const std::string kNamed = List({{0x01, 6}, {0x02, 7, 1001}, {0x04, 4}, {0x10, 6}, {0x20, 0}});
const std::string kMinimal = List({{0x01, 7}, {0x04, 5}, {0x20, 1}});

TEST(AclTest, BytesRoundTripAndSayTheMode) {
  const auto acl = Acl::Parse(kNamed);
  ASSERT_TRUE(acl.ok());
  EXPECT_EQ(acl->Encode(), kNamed);
  EXPECT_EQ(acl->mode(), 0660u) << "the group's bits are the mask's";
  EXPECT_FALSE(acl->minimal());
  EXPECT_EQ(Acl::Parse(kMinimal)->mode(), 0751u);
  EXPECT_TRUE(Acl::Parse(kMinimal)->minimal());
}

TEST(AclTest, WhatIsNoListIsRefused) {
  const std::string bad[] = {
      "",
      std::string("\2\0\0\0", 4),
      kNamed.substr(0, kNamed.size() - 1),
      std::string("\1\0\0\0", 4) + kMinimal.substr(4),
      List({{0x01, 7}, {0x04, 5}}),                                             // nobody else
      List({{0x04, 7}, {0x01, 5}, {0x20, 1}}),                                  // order
      List({{0x01, 7}, {0x01, 7}, {0x04, 5}, {0x20, 1}}),                       // twice
      List({{0x01, 8}, {0x04, 5}, {0x20, 1}}),                                  // a bit too many
      List({{0x01, 7}, {0x03, 5}, {0x04, 5}, {0x20, 1}}),                       // no such tag
      List({{0x01, 7}, {0x02, 5, 1001}, {0x04, 5}, {0x20, 1}}),                 // no mask
      List({{0x01, 7}, {0x02, 5, kNobody}, {0x04, 5}, {0x10, 5}, {0x20, 1}})};  // nobody named
  for (const std::string& bytes : bad) {
    EXPECT_TRUE(Acl::Parse(bytes).Is(ErrorCode::kInvalidArgument)) << bytes.size();
  }
}

class AclsTest : public test::EngineTest {
 protected:
  Status Set(InodeId inode, std::string_view name, std::string_view value) {
    return files().SetXattr(caller_, inode, name, value, XattrMode::kCreateOrReplace);
  }
  std::uint32_t Permissions(InodeId inode) { return files().GetAttributes(inode)->permissions; }
  std::string Get(InodeId inode, std::string_view name) {
    return files().GetXattr(inode, name).value_or("none");
  }
};

TEST_F(AclsTest, TheModeFollowsTheAccessListAndTheMaskTheMode) {
  const InodeId f = WriteFile(root_, "f", "x");
  ASSERT_TRUE(Set(f, kAccessAcl, kNamed).ok());
  EXPECT_EQ(Permissions(f), 0660u);
  EXPECT_THAT(files().ListXattrs(caller_, f).value(), UnorderedElementsAre(kAccessAcl));
  AttributeChange change;
  change.permissions = 0647;
  ASSERT_TRUE(files().SetAttributes(caller_, f, change, nullptr).ok());
  EXPECT_EQ(Get(f, kAccessAcl),
            List({{0x01, 6}, {0x02, 7, 1001}, {0x04, 4}, {0x10, 4}, {0x20, 7}}));
  EXPECT_EQ(Permissions(f), 0647u);
}

TEST_F(AclsTest, AListThatSaysNoMoreThanTheModeIsTheMode) {
  const InodeId f = WriteFile(root_, "f", "x");
  ASSERT_TRUE(Set(f, kAccessAcl, kNamed).ok());
  ASSERT_TRUE(Set(f, kAccessAcl, kMinimal).ok());
  EXPECT_EQ(Permissions(f), 0751u);
  EXPECT_THAT(files().ListXattrs(caller_, f).value(), IsEmpty());
  EXPECT_TRUE(files().GetXattr(f, kAccessAcl).Is(ErrorCode::kNoAttribute));
}

TEST_F(AclsTest, NewFilesInheritAndThenTheUmaskDoesNotCount) {
  const InodeId d = Mkdir(root_, "d");
  ASSERT_TRUE(Set(d, kDefaultAcl, kNamed).ok());
  Caller caller = caller_;
  caller.umask = 077;
  NewNode node;
  node.permissions = 0666;
  const auto file = files().MakeNode(caller, d, "file", node);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->permissions, 0660u);
  EXPECT_EQ(Get(file->inode, kAccessAcl), kNamed);
  EXPECT_EQ(Get(file->inode, kDefaultAcl), "none");
  node.kind = FileKind::kDirectory;
  node.permissions = 0750;
  const auto inner = files().MakeNode(caller, d, "inner", node);
  ASSERT_TRUE(inner.ok());
  EXPECT_EQ(inner->permissions, 0640u);
  EXPECT_EQ(Get(inner->inode, kDefaultAcl), kNamed);
  EXPECT_EQ(Get(inner->inode, kAccessAcl),
            List({{0x01, 6}, {0x02, 7, 1001}, {0x04, 4}, {0x10, 4}, {0x20, 0}}));
  EXPECT_EQ(files().MakeNode(caller, root_, "plain", node)->permissions, 0700u)
      << "elsewhere it does";
}

TEST_F(AclsTest, WhereAListDoesNotBelongItIsRefused) {
  const InodeId f = WriteFile(root_, "f", "x");
  EXPECT_TRUE(Set(f, kDefaultAcl, kNamed).Is(ErrorCode::kAccessDenied));
  NewNode link;
  link.kind = FileKind::kSymlink;
  link.symlink_target = "f";
  const auto symlink = files().MakeNode(caller_, root_, "l", link);
  EXPECT_TRUE(Set(symlink->inode, kAccessAcl, kNamed).Is(ErrorCode::kUnsupported));
  EXPECT_TRUE(Set(f, kAccessAcl, "junk").Is(ErrorCode::kInvalidArgument));
}

TEST_F(AclsTest, SetgidStaysOnlyForMembersOfTheGroup) {
  const InodeId f = WriteFile(root_, "f", "x");
  AttributeChange change;
  change.gid = 2000;
  change.permissions = 02755;
  ASSERT_TRUE(files().SetAttributes(caller_, f, change, nullptr).ok());
  const MembershipSource member = [] { return Membership{false, {2000}}; };
  const MembershipSource stranger = [] { return Membership{false, {2001}}; };
  ASSERT_TRUE(files().SetXattr(caller_, f, kAccessAcl, kNamed, {}, member).ok());
  EXPECT_EQ(Permissions(f), 02660u);
  ASSERT_TRUE(files().SetXattr(caller_, f, kAccessAcl, kNamed, {}, stranger).ok());
  EXPECT_EQ(Permissions(f), 0660u);
}

TEST_F(AclsTest, APutKeepsTheListOfTheNameItReplaces) {
  const InodeId f = WriteFile(root_, "f", "old");
  ASSERT_TRUE(Set(f, kAccessAcl, kNamed).ok());
  ASSERT_TRUE(PutObject("f", "new").ok());
  const auto found = files().Lookup(root_, "f");
  ASSERT_TRUE(found.ok());
  EXPECT_NE(found->inode, f);
  EXPECT_EQ(found->permissions, 0660u);
  EXPECT_EQ(Get(found->inode, kAccessAcl), kNamed);
}

TEST_F(AclsTest, TrustedNamesAreListedForRootOnly) {
  const InodeId f = WriteFile(root_, "f", "x");
  ASSERT_TRUE(Set(f, "trusted.t", "1").ok());
  ASSERT_TRUE(Set(f, "user.u", "1").ok());
  EXPECT_THAT(files().ListXattrs(Caller{.uid = 0, .gid = 0, .origin = {}}, f).value(),
              UnorderedElementsAre("trusted.t", "user.u"));
  EXPECT_THAT(files().ListXattrs(Caller{.uid = 7, .gid = 7, .origin = {}}, f).value(),
              UnorderedElementsAre("user.u"));
}

}  // namespace
}  // namespace amphora::fs
