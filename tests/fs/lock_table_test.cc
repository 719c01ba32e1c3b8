// The lock table of mounts that share locks, alone and against a reference that keeps one entry per
// byte.
#include "fs/lock_table.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace amphora::fs {
namespace {

constexpr InodeId kFile{20};

LockRequest Record(std::uint64_t owner, std::uint64_t first, std::uint64_t last, LockType type) {
  LockRequest request;
  request.inode = kFile;
  request.owner = {OriginId(1), owner};
  request.handle = {OriginId(1), 100 + owner};
  request.type = type;
  request.range = {first, last};
  request.process = static_cast<std::int32_t>(owner);
  return request;
}

LockRequest Whole(std::uint64_t owner, LockType type) {
  LockRequest request = Record(owner, 0, UINT64_MAX, type);
  request.family = LockFamily::kWhole;
  return request;
}

// What the answer of a waiting request said, once it was called.
struct Answer {
  std::optional<Status> status;
  auto Take() {
    return [this](Status given) { status = given; };
  }
  bool granted() const { return status && status->ok(); }
};

class LockTableTest : public ::testing::Test {
 protected:
  bool Lock(const LockRequest& request) {
    const Status locked = table_.Lock(request);
    EXPECT_TRUE(locked.ok() || locked.Is(ErrorCode::kConflict));
    return locked.ok();
  }
  LockTable table_;
};

TEST_F(LockTableTest, SharedLocksGoTogetherExclusiveOnesDoNot) {
  EXPECT_TRUE(Lock(Record(1, 0, 9, LockType::kShared)));
  EXPECT_TRUE(Lock(Record(2, 5, 14, LockType::kShared)));
  EXPECT_FALSE(Lock(Record(3, 9, 9, LockType::kExclusive)));
  EXPECT_TRUE(Lock(Record(3, 15, UINT64_MAX, LockType::kExclusive)));
  const auto conflict = table_.FindConflict(Record(1, 100, 100, LockType::kShared));
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->process, 3);
  EXPECT_EQ(conflict->range, (LockRange{15, UINT64_MAX}));
  EXPECT_FALSE(table_.FindConflict(Record(1, 0, 9, LockType::kShared)));
}

TEST_F(LockTableTest, AnOwnersLocksReplaceEachOtherAndSplit) {
  EXPECT_TRUE(Lock(Record(1, 0, 99, LockType::kExclusive)));
  EXPECT_TRUE(Lock(Record(1, 10, 19, LockType::kShared)));
  EXPECT_TRUE(Lock(Record(2, 10, 19, LockType::kShared)));
  EXPECT_FALSE(Lock(Record(2, 9, 9, LockType::kShared)));
  EXPECT_EQ(table_.held(), 4u);
  table_.Unlock(Record(1, 40, 49, LockType::kShared));
  EXPECT_TRUE(Lock(Record(2, 40, 49, LockType::kExclusive)));
  EXPECT_FALSE(Lock(Record(2, 50, 50, LockType::kExclusive)));
}

TEST_F(LockTableTest, WaitersAreAnsweredInOrderWhenTheLockIsFree) {
  EXPECT_TRUE(Lock(Record(1, 0, 9, LockType::kExclusive)));
  Answer second;
  Answer third;
  EXPECT_TRUE(table_.LockOrWait(Record(2, 0, 9, LockType::kExclusive), second.Take()));
  EXPECT_TRUE(table_.LockOrWait(Record(3, 0, 4, LockType::kShared), third.Take()));
  EXPECT_FALSE(second.status || third.status);
  EXPECT_EQ(table_.waiting(), 2u);
  table_.Unlock(Record(1, 0, 9, LockType::kShared));
  EXPECT_TRUE(second.granted());
  EXPECT_FALSE(third.status);
  table_.DropRecords(kFile, {OriginId(1), 2});
  EXPECT_TRUE(third.granted());
}

TEST_F(LockTableTest, AWeakerLockLetsWaitersIn) {
  EXPECT_TRUE(Lock(Record(1, 0, 9, LockType::kExclusive)));
  Answer reader;
  EXPECT_TRUE(table_.LockOrWait(Record(2, 0, 9, LockType::kShared), reader.Take()));
  EXPECT_TRUE(Lock(Record(1, 0, 9, LockType::kShared)));
  EXPECT_TRUE(reader.granted());
}

TEST_F(LockTableTest, ACancelledWaitIsNeverAnswered) {
  EXPECT_TRUE(Lock(Record(1, 0, 9, LockType::kExclusive)));
  Answer answer;
  const auto wait = table_.LockOrWait(Record(2, 0, 9, LockType::kShared), answer.Take());
  ASSERT_TRUE(wait);
  EXPECT_TRUE(table_.Cancel(*wait));
  EXPECT_FALSE(table_.Cancel(*wait));
  table_.Unlock(Record(1, 0, 9, LockType::kShared));
  EXPECT_FALSE(answer.status);
  EXPECT_EQ(table_.held() + table_.waiting(), 0u);
}

TEST_F(LockTableTest, ARingOfWaitersIsRefused) {
  EXPECT_TRUE(Lock(Record(1, 0, 0, LockType::kExclusive)));
  EXPECT_TRUE(Lock(Record(2, 1, 1, LockType::kExclusive)));
  EXPECT_TRUE(Lock(Record(3, 2, 2, LockType::kExclusive)));
  Answer one;
  Answer two;
  Answer three;
  EXPECT_TRUE(table_.LockOrWait(Record(1, 1, 1, LockType::kShared), one.Take()));
  EXPECT_TRUE(table_.LockOrWait(Record(2, 2, 2, LockType::kShared), two.Take()));
  EXPECT_FALSE(table_.LockOrWait(Record(3, 0, 0, LockType::kShared), three.Take()));
  ASSERT_TRUE(three.status);
  EXPECT_TRUE(three.status->Is(ErrorCode::kDeadlock));
  table_.DropRecords(kFile, {OriginId(1), 3});
  EXPECT_TRUE(two.granted());
}

TEST_F(LockTableTest, ARingThatANewHolderClosesIsRefused) {
  EXPECT_TRUE(Lock(Record(1, 0, 0, LockType::kExclusive)));
  EXPECT_TRUE(Lock(Record(3, 5, 5, LockType::kExclusive)));
  Answer two;
  Answer other_of_two;
  Answer three;
  // 2 and 3 wait for 1; a second thread of 2 waits for what 3 has.
  EXPECT_TRUE(table_.LockOrWait(Record(2, 0, 0, LockType::kExclusive), two.Take()));
  EXPECT_TRUE(table_.LockOrWait(Record(3, 0, 0, LockType::kExclusive), three.Take()));
  EXPECT_TRUE(table_.LockOrWait(Record(2, 5, 5, LockType::kShared), other_of_two.Take()));
  table_.Unlock(Record(1, 0, 0, LockType::kShared));
  EXPECT_TRUE(two.granted());
  // 3 now waits for 2, which waits for 3.
  const bool refused = (three.status && three.status->Is(ErrorCode::kDeadlock)) ||
                       (other_of_two.status && other_of_two.status->Is(ErrorCode::kDeadlock));
  EXPECT_TRUE(refused);
}

TEST_F(LockTableTest, WholeFileLocksAreAnotherFamilyWithoutDeadlocks) {
  EXPECT_TRUE(Lock(Record(1, 0, 9, LockType::kExclusive)));
  EXPECT_TRUE(Lock(Whole(2, LockType::kExclusive)));
  EXPECT_FALSE(Lock(Whole(3, LockType::kShared)));
  Answer answer;
  EXPECT_TRUE(table_.LockOrWait(Whole(3, LockType::kShared), answer.Take()));
  table_.DropHandle(kFile, {OriginId(1), 102});
  EXPECT_TRUE(answer.granted());
  // flock(2): a conversion that fails has given the old lock up.
  EXPECT_TRUE(Lock(Whole(4, LockType::kShared)));
  EXPECT_FALSE(Lock(Whole(3, LockType::kExclusive)));
  EXPECT_TRUE(Lock(Whole(4, LockType::kExclusive)));
}

TEST_F(LockTableTest, AnOpenFileTakesWhatWasLockedThroughItUnlessItsOwnerClosedBefore) {
  // An open file description's lock goes with it.
  EXPECT_TRUE(Lock(Record(1, 0, 9, LockType::kExclusive)));
  table_.DropHandle(kFile, {OriginId(1), 101});
  EXPECT_TRUE(Lock(Record(2, 0, 9, LockType::kExclusive)));
  // A process closed that descriptor, then locked again through another one: RELEASE of the first
  // comes late.
  table_.DropRecords(kFile, {OriginId(1), 2});
  LockRequest through_another = Record(2, 0, 9, LockType::kExclusive);
  through_another.handle = {OriginId(1), 999};
  EXPECT_TRUE(Lock(through_another));
  table_.DropHandle(kFile, {OriginId(1), 102});
  EXPECT_FALSE(Lock(Record(3, 0, 9, LockType::kShared)));
}

TEST_F(LockTableTest, AMountTakesItsLocksAndWaitersAlong) {
  EXPECT_TRUE(Lock(Record(1, 0, 9, LockType::kExclusive)));
  LockRequest elsewhere = Record(1, 0, 9, LockType::kExclusive);
  elsewhere.owner.mount = elsewhere.handle.mount = OriginId(2);
  Answer theirs;
  Answer ours;
  EXPECT_TRUE(table_.LockOrWait(elsewhere, theirs.Take()));
  EXPECT_TRUE(table_.LockOrWait(Record(2, 0, 9, LockType::kExclusive), ours.Take()));
  table_.DropMount(OriginId(1));
  EXPECT_TRUE(theirs.granted());
  EXPECT_FALSE(ours.status);
  table_.DropMount(OriginId(2));
  EXPECT_EQ(table_.held() + table_.waiting(), 0u);
}

// Per byte who has it how.
class Reference {
 public:
  static constexpr std::size_t kBytes = 24;
  static constexpr std::size_t kOwners = 4;
  enum class Has : std::uint8_t { kNothing, kShared, kExclusive };

  bool MayLock(std::size_t owner, std::size_t first, std::size_t last, Has wanted) const {
    for (std::size_t other = 0; other < kOwners; ++other) {
      if (other == owner) continue;
      for (std::size_t i = first; i <= last; ++i) {
        const Has has = bytes_[other][i];
        if (has == Has::kExclusive || (has == Has::kShared && wanted == Has::kExclusive)) {
          return false;
        }
      }
    }
    return true;
  }
  void Set(std::size_t owner, std::size_t first, std::size_t last, Has has) {
    for (std::size_t i = first; i <= last; ++i) bytes_[owner][i] = has;
  }
  Has At(std::size_t owner, std::size_t i) const { return bytes_[owner][i]; }

 private:
  std::array<std::array<Has, kBytes>, kOwners> bytes_{};
};

TEST_F(LockTableTest, RandomLocksAgreeWithAReferencePerByte) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Reference reference;
  const auto below = [&](std::size_t most) { return random() % most; };
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t owner = below(Reference::kOwners);
    const std::size_t first = below(Reference::kBytes);
    const std::size_t last = first + below(Reference::kBytes - first);
    const std::size_t action = below(10);
    LockRequest request = Record(owner + 1, first, last, LockType::kShared);
    if (action < 3) {
      table_.Unlock(request);
      reference.Set(owner, first, last, Reference::Has::kNothing);
    } else if (action == 3) {
      table_.DropRecords(kFile, request.owner);
      reference.Set(owner, 0, Reference::kBytes - 1, Reference::Has::kNothing);
    } else {
      const auto has = action < 7 ? Reference::Has::kShared : Reference::Has::kExclusive;
      if (action >= 7) request.type = LockType::kExclusive;
      const bool may = reference.MayLock(owner, first, last, has);
      ASSERT_EQ(!table_.FindConflict(request), may) << "step " << step;
      ASSERT_EQ(Lock(request), may) << "step " << step;
      if (may) reference.Set(owner, first, last, has);
    }
    const std::size_t at = below(Reference::kBytes);
    for (std::size_t other = 0; other < Reference::kOwners; ++other) {
      const bool free = !table_.FindConflict(Record(99, at, at, LockType::kExclusive));
      const bool none = reference.MayLock(Reference::kOwners, at, at, Reference::Has::kExclusive);
      ASSERT_EQ(free, none) << "step " << step << " byte " << at << " owner " << other;
    }
  }
}

}  // namespace
}  // namespace amphora::fs
