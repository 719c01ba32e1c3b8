// Access times: relatime's rule, and that nothing else moves with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/change_recorder.h"
#include "tests/support/engine_fixture.h"

namespace amphora::fs {
namespace {

constexpr std::int64_t kHourNs = 3600LL * 1'000'000'000;

class AccessTimeTest : public test::EngineTest {
 protected:
  Attributes Look(InodeId inode) { return files().GetAttributes(inode).value(); }

  // Whether a file that looks as its last access and its last change were so long ago moves.
  bool Moves(InodeId inode, std::int64_t access_age_ns, std::int64_t change_age_ns) {
    Attributes seen = Look(inode);
    const Time before = seen.accessed;
    const std::int64_t now = Time::Now().nanoseconds();
    seen.accessed = Time(now - access_age_ns);
    seen.modified = seen.changed = Time(now - change_age_ns);
    EXPECT_TRUE(files().NoteAccess(seen).ok());
    return Look(inode).accessed != before;
  }
};

TEST_F(AccessTimeTest, TheFirstReaderAfterAChangeMovesItAndTheNextDoesNot) {
  const InodeId inode = WriteFile(root_, "file", "content");
  const Attributes before = Look(inode);
  ASSERT_TRUE(files().NoteAccess(before).ok());
  const Attributes after = Look(inode);
  EXPECT_GT(after.accessed, before.changed);
  EXPECT_EQ(after.modified, before.modified);
  EXPECT_EQ(after.changed, before.changed);
  ASSERT_TRUE(files().NoteAccess(after).ok());
  EXPECT_EQ(Look(inode).accessed, after.accessed);
  Reopen();
  EXPECT_EQ(Look(inode).accessed, after.accessed);
}

TEST_F(AccessTimeTest, AfterADayItMovesWithoutAChange) {
  const InodeId inode = WriteFile(root_, "file", "content");
  EXPECT_FALSE(Moves(inode, 23 * kHourNs, 100 * kHourNs));
  EXPECT_TRUE(Moves(inode, 25 * kHourNs, 100 * kHourNs));
  EXPECT_TRUE(Moves(inode, 2 * kHourNs, kHourNs));
}

TEST_F(AccessTimeTest, WhatIsBeingWrittenKeepsItsOwnTimesAndContent) {
  const InodeId inode = WriteFile(root_, "file", "old");
  OpenOptions options;
  options.write = true;
  auto opened = files().Open(caller_, inode, options);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(opened->handle->Write(0, Bytes("longer")).ok());
  const Attributes written = Look(inode);
  ASSERT_TRUE(files().NoteAccess(written).ok());
  const Attributes noted = Look(inode);
  EXPECT_GT(noted.accessed, written.accessed);
  EXPECT_EQ(noted.modified, written.modified);
  EXPECT_EQ(noted.size, 6u);
  ASSERT_TRUE(opened->handle->Flush().ok());
  opened->handle.reset();
  EXPECT_EQ(Look(inode).accessed, noted.accessed);
  EXPECT_EQ(Look(inode).modified, written.modified);
  EXPECT_EQ(GetObject("file").value(), "longer");
}

TEST_F(AccessTimeTest, EveryKernelIsToldOnce) {
  test::ChangeRecorder kernel;
  const OriginId origin = engine_->AddSink(&kernel);
  const InodeId inode = WriteFile(root_, "file", "content");
  kernel.Take();
  ASSERT_TRUE(files().NoteAccess(Look(inode)).ok());
  const std::vector<Change> told = kernel.Take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].what, Change::What::kAttributes);
  EXPECT_EQ(told[0].inode, inode);
  EXPECT_NE(told[0].origin, origin);
  ASSERT_TRUE(files().NoteAccess(Look(inode)).ok());
  EXPECT_THAT(kernel.Take(), ::testing::IsEmpty());
  engine_->RemoveSink(origin);
}

TEST_F(AccessTimeTest, OfAFileThatIsGoneNothingComesBack) {
  const InodeId inode = WriteFile(root_, "file", "content");
  const Attributes seen = Look(inode);
  ASSERT_TRUE(files().Unlink(caller_, root_, "file").ok());
  EXPECT_TRUE(files().NoteAccess(seen).Is(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace amphora::fs
