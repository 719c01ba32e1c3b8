// A reply that is held back across a change must not leave the kernel with what was true before
// (hazards 3.2 and 3.3): for each kind of reply that installs something, in every kernel mode.
#include <cerrno>
#include <functional>
#include <thread>

#include "meta/base/failpoint.h"
#include "tests/mount/fixture.h"

namespace amphora::mount {
namespace {

class DelayedReplyTest : public ModeTest {
 protected:
  // Runs `call`; its first reply at `failpoint` is held back while `change` is made and settled.
  void Across(const std::string& failpoint, const std::function<void()>& call,
              const std::function<void()>& change) {
    ASSERT_TRUE(ArmFailpoint(failpoint, "1*sleep(100)"));
    std::thread caller(call);
    while (FailpointVisits(failpoint) == 0) std::this_thread::yield();
    change();
    Settle();
    caller.join();
    DisarmAllFailpoints();
    Settle();
  }
  void List() { NamesIn(root()); }
  std::unique_ptr<Mount> SecondMount() { return MountOn("second", GetParam()); }
  std::string Second(const std::string& name) const { return base_ + "/second/" + name; }
};
INSTANTIATE_TEST_SUITE_P(Modes, DelayedReplyTest, ::testing::ValuesIn(kAllModes), ModeName);

TEST_P(DelayedReplyTest, NegativeLookupAcrossAPut) {
  Across(
      "mount.lookup.reply", [&] { StatErrno(Path("f")); }, [&] { Put("f", "put"); });
  EXPECT_EQ(StatErrno(Path("f")), 0);
  EXPECT_EQ(ReadFile(Path("f")), "put");
}

TEST_P(DelayedReplyTest, PositiveLookupAcrossADelete) {
  Put("f", "old");
  Across(
      "mount.lookup.reply", [&] { StatErrno(Path("f")); }, [&] { Delete("f"); });
  EXPECT_EQ(StatErrno(Path("f")), ENOENT);
}

TEST_P(DelayedReplyTest, LookupAcrossAPutOver) {
  Put("f", "old");
  Across(
      "mount.lookup.reply", [&] { StatErrno(Path("f")); }, [&] { Put("f", "much newer"); });
  EXPECT_EQ(StatOf(Path("f")).st_size, 10);
  EXPECT_EQ(ReadFile(Path("f")), "much newer");
}

TEST_P(DelayedReplyTest, LookupOfADirectoryAcrossItsVanishing) {
  Put("d/k", "x");
  Across(
      "mount.lookup.reply", [&] { StatErrno(Path("d")); }, [&] { Delete("d/k"); });
  EXPECT_EQ(StatErrno(Path("d")), ENOENT);
}

TEST_P(DelayedReplyTest, ListingAcrossAPutAndADelete) {
  Put("gone", "x");
  Put("over", "x");
  Across(
      "mount.readdirplus.reply", [&] { List(); },
      [&] {
        Put("new", "x");
        Delete("gone");
        Put("over", "longer");
      });
  EXPECT_EQ(NamesIn(root()), (std::set<std::string>{"new", "over"}));
  EXPECT_EQ(StatErrno(Path("gone")), ENOENT);
  EXPECT_EQ(StatOf(Path("over")).st_size, 6);
  EXPECT_EQ(NamesIn(root()), (std::set<std::string>{"new", "over"})) << "from the kernel's cache";
}

TEST_P(DelayedReplyTest, GetattrAcrossAChangeThroughAnotherMount) {
  const auto second = SecondMount();
  Put("f", "x");
  ASSERT_EQ(StatErrno(Path("f")), 0);
  ASSERT_EQ(StatErrno(Second("f")), 0);
  ASSERT_EQ(chmod(Second("f").c_str(), 0600), 0);  // this kernel's attributes are no longer valid
  Settle();
  Across(
      "mount.getattr.reply", [&] { StatOf(Path("f")); },
      [&] { ASSERT_EQ(chmod(Second("f").c_str(), 0640), 0); });
  EXPECT_EQ(StatOf(Path("f")).st_mode, S_IFREG | 0640u);
}

TEST_P(DelayedReplyTest, SetattrAcrossAChangeThroughAnotherMount) {
  const auto second = SecondMount();
  Put("f", "x");
  ASSERT_EQ(StatErrno(Path("f")), 0);
  ASSERT_EQ(StatErrno(Second("f")), 0);
  Across(
      "mount.setattr.reply", [&] { ASSERT_EQ(chmod(Path("f").c_str(), 0600), 0); },
      [&] { ASSERT_EQ(chmod(Second("f").c_str(), 0640), 0); });
  EXPECT_EQ(StatOf(Path("f")).st_mode, S_IFREG | 0640u);
}

TEST_P(DelayedReplyTest, LinkAcrossADeleteOfTheOtherName) {
  ASSERT_TRUE(WriteFile(Path("a"), "x"));
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  Across(
      "mount.link.reply", [&] { ASSERT_EQ(link(Path("a").c_str(), Path("d/b").c_str()), 0); },
      [&] { Delete("a"); });
  EXPECT_EQ(StatOf(Path("d/b")).st_nlink, 1u);
  EXPECT_EQ(StatErrno(Path("a")), ENOENT);
}

TEST_P(DelayedReplyTest, CreateAcrossAPutOverAndADelete) {
  Across(
      "mount.create.reply", [&] { Fd(open(Path("f").c_str(), O_CREAT | O_WRONLY, 0644)); },
      [&] { Put("f", "from S3"); });
  EXPECT_EQ(ReadFile(Path("f")), "from S3");
  EXPECT_EQ(StatOf(Path("f")).st_size, 7);
  Across(
      "mount.create.reply", [&] { Fd(open(Path("g").c_str(), O_CREAT | O_WRONLY, 0644)); },
      [&] { Delete("g"); });
  EXPECT_EQ(StatErrno(Path("g")), ENOENT);
}

TEST_P(DelayedReplyTest, CreateAcrossAChangeThroughAnotherMount) {
  const auto second = SecondMount();
  Across(
      "mount.create.reply", [&] { Fd(open(Path("f").c_str(), O_CREAT | O_WRONLY, 0644)); },
      [&] { ASSERT_EQ(chmod(Second("f").c_str(), 0600), 0) << strerror(errno); });
  EXPECT_EQ(StatOf(Path("f")).st_mode, S_IFREG | 0600u);
}

TEST_P(DelayedReplyTest, MkdirAcrossAChangeThroughAnotherMount) {
  const auto second = SecondMount();
  Across(
      "mount.mknod.reply", [&] { ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0); },
      [&] { ASSERT_EQ(chmod(Second("d").c_str(), 0700), 0) << strerror(errno); });
  EXPECT_EQ(StatOf(Path("d")).st_mode, S_IFDIR | 0700u);
}

TEST_P(DelayedReplyTest, ReadAcrossAPutOverShowsOneContentAndThenTheNew) {
  Put("f", "old content");
  std::string seen;
  Across(
      "mount.read.reply", [&] { seen = ReadFile(Path("f")); }, [&] { Put("f", "new"); });
  EXPECT_EQ(seen, "old content");
  EXPECT_EQ(ReadFile(Path("f")), "new");
}

}  // namespace
}  // namespace amphora::mount
