#include "fs/lock_table.h"

#include <algorithm>

namespace amphora::fs {
namespace {

bool Overlap(const LockRange& one, const LockRange& other) {
  return one.first <= other.last && other.first <= one.last;
}

bool SameHolder(const LockRequest& one, const LockRequest& other) {
  return one.family == other.family && one.owner == other.owner;
}

bool Conflict(const LockRequest& held, const LockRequest& wanted) {
  return held.family == wanted.family && held.owner != wanted.owner &&
         (held.type == LockType::kExclusive || wanted.type == LockType::kExclusive) &&
         Overlap(held.range, wanted.range);
}

// Whether two ranges without a gap between them are one.
bool Touch(const LockRange& one, const LockRange& other) {
  const bool before = one.last != UINT64_MAX && one.last + 1 == other.first;
  const bool behind = other.last != UINT64_MAX && other.last + 1 == one.first;
  return before || behind || Overlap(one, other);
}

}  // namespace

class LockTable::Tally {
 public:
  Tally(LockTable& table, const Inode& inode) : table_(table), inode_(inode) {
    table_.total_ -= Size();
  }
  ~Tally() { table_.total_ += Size(); }
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  template <typename Edit>
  static void Change(LockTable& table, InodeId id, Edit edit);

 private:
  std::size_t Size() const { return inode_.held.size() + inode_.waiters.size(); }
  LockTable& table_;
  const Inode& inode_;
};

const LockRequest* LockTable::ConflictIn(const Inode& inode, const LockRequest& request) const {
  const auto found = std::ranges::find_if(
      inode.held, [&](const LockRequest& held) { return Conflict(held, request); });
  return found == inode.held.end() ? nullptr : &*found;
}

// Takes the holder's locks away where `request` is, whatever their kind.
void LockTable::Cut(Inode& inode, const LockRequest& request) {
  std::vector<LockRequest> kept;
  for (LockRequest& held : inode.held) {
    if (!SameHolder(held, request) || !Overlap(held.range, request.range)) {
      kept.push_back(held);
      continue;
    }
    if (held.range.first < request.range.first) {
      kept.push_back(held);
      kept.back().range.last = request.range.first - 1;
    }
    if (held.range.last > request.range.last) {
      kept.push_back(held);
      kept.back().range.first = request.range.last + 1;
    }
  }
  inode.held = std::move(kept);
}

void LockTable::Add(Inode& inode, const LockRequest& request) {
  Cut(inode, request);
  LockRequest added = request;
  // Neighbours of the same kind become one, so that a file locked byte by byte stays cheap.
  std::erase_if(inode.held, [&](const LockRequest& held) {
    const bool joins = SameHolder(held, added) && held.type == added.type &&
                       held.handle == added.handle && Touch(held.range, added.range);
    if (!joins) return false;
    added.range = {std::min(held.range.first, added.range.first),
                   std::max(held.range.last, added.range.last)};
    return true;
  });
  inode.held.push_back(added);
  inode.users.emplace(request.handle, request.owner);
}

// Follows who waits for whom from the holders that are in the way. A wait for a whole file is no
// edge: flock(2) looks for no deadlocks.
bool LockTable::WouldDeadlock(const LockRequest& request) const {
  if (request.family != LockFamily::kRecord) return false;
  std::set<LockOwner> seen;
  std::vector<LockOwner> to_follow;
  const auto follow = [&](InodeId id, const LockRequest& wanted) {
    const auto inode = inodes_.find(id);
    if (inode == inodes_.end()) return;
    for (const LockRequest& held : inode->second.held) {
      if (Conflict(held, wanted) && seen.insert(held.owner).second) {
        to_follow.push_back(held.owner);
      }
    }
  };
  follow(request.inode, request);
  while (!to_follow.empty()) {
    const LockOwner owner = to_follow.back();
    to_follow.pop_back();
    if (owner == request.owner) return true;
    for (const auto& [id, inode] : inodes_) {
      for (const Waiter& waiter : inode.waiters) {
        const bool waits =
            waiter.request.owner == owner && waiter.request.family == LockFamily::kRecord;
        if (waits) follow(id, waiter.request);
      }
    }
  }
  return false;
}

// Something was given up: whoever can have its lock now gets it. A new holder may close a ring for
// those who wait on.
void LockTable::Wake(Inode& inode, Answers& answers) {
  for (std::size_t at = 0; at < inode.waiters.size();) {
    Waiter& waiter = inode.waiters[at];
    Status outcome = Ok();
    if (ConflictIn(inode, waiter.request) == nullptr) {
      Add(inode, waiter.request);
    } else if (WouldDeadlock(waiter.request)) {
      outcome = Error(ErrorCode::kDeadlock);
    } else {
      ++at;
      continue;
    }
    answers.emplace_back(std::move(waiter.answer), outcome);
    inode.waiters.erase(inode.waiters.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

void LockTable::EraseIfIdle(InodeId id) {
  const auto found = inodes_.find(id);
  if (found == inodes_.end()) return;
  if (found->second.held.empty() && found->second.waiters.empty()) inodes_.erase(found);
}

std::optional<HeldLock> LockTable::FindConflict(const LockRequest& request) const {
  std::lock_guard lock(mutex_);
  const auto found = inodes_.find(request.inode);
  if (found == inodes_.end()) return std::nullopt;
  const LockRequest* const held = ConflictIn(found->second, request);
  if (held == nullptr) return std::nullopt;
  return HeldLock{held->type, held->range, held->owner, held->process};
}

namespace {

void CallAll(std::vector<std::pair<std::function<void(Status)>, Status>>& answers) {
  for (auto& [answer, status] : answers) answer(status);
}

}  // namespace

Status LockTable::Lock(const LockRequest& request) {
  Answers answers;
  Status outcome = Ok();
  {
    std::lock_guard lock(mutex_);
    if (Full()) return Error(ErrorCode::kTooManyLocks);
    Inode& inode = inodes_[request.inode];
    {
      const Tally tally(*this, inode);
      if (ConflictIn(inode, request) == nullptr) {
        Add(inode, request);
      } else {
        outcome = Error(ErrorCode::kConflict, "locked by another");
        if (request.family == LockFamily::kWhole) Cut(inode, request);
      }
      // An exclusive lock may have become a shared one, or was given up.
      Wake(inode, answers);
    }
    EraseIfIdle(request.inode);
  }
  CallAll(answers);
  return outcome;
}

std::optional<LockWaitId> LockTable::QueueHeld(const LockRequest& request,
                                               std::function<void(Status)> answer,
                                               Answers& answers) {
  if (Full()) {
    answers.emplace_back(std::move(answer), Error(ErrorCode::kTooManyLocks));
    return std::nullopt;
  }
  Inode& inode = inodes_[request.inode];
  const Tally tally(*this, inode);
  std::optional<LockWaitId> waits;
  if (ConflictIn(inode, request) == nullptr) {
    Add(inode, request);
    answers.emplace_back(std::move(answer), Ok());
  } else if (WouldDeadlock(request)) {
    answers.emplace_back(std::move(answer), Error(ErrorCode::kDeadlock));
  } else {
    if (request.family == LockFamily::kWhole) Cut(inode, request);
    waits = next_wait_++;
    inode.waiters.push_back({*waits, request, std::move(answer)});
  }
  Wake(inode, answers);
  return waits;
}

std::optional<LockWaitId> LockTable::LockOrWait(const LockRequest& request,
                                                std::function<void(Status)> answer) {
  Answers answers;
  std::optional<LockWaitId> waits;
  {
    std::lock_guard lock(mutex_);
    waits = QueueHeld(request, std::move(answer), answers);
    EraseIfIdle(request.inode);
  }
  CallAll(answers);
  return waits;
}

bool LockTable::Cancel(LockWaitId wait) {
  std::lock_guard lock(mutex_);
  for (auto& [id, inode] : inodes_) {
    if (std::erase_if(inode.waiters, [wait](const Waiter& one) { return one.id == wait; }) == 0) {
      continue;
    }
    --total_;
    EraseIfIdle(InodeId(id));
    return true;
  }
  return false;
}

// What is known of the inode, if anything is, is changed by `edit`; then who can have its lock gets
// it, and is told.
template <typename Edit>
void LockTable::Tally::Change(LockTable& table, InodeId id, Edit edit) {
  Answers answers;
  {
    std::lock_guard lock(table.mutex_);
    const auto found = table.inodes_.find(id);
    if (found == table.inodes_.end()) return;
    {
      const Tally tally(table, found->second);
      edit(found->second);
      table.Wake(found->second, answers);
    }
    table.EraseIfIdle(id);
  }
  CallAll(answers);
}

void LockTable::Unlock(const LockRequest& request) {
  Tally::Change(*this, request.inode, [&](Inode& inode) { Cut(inode, request); });
}

void LockTable::DropRecords(InodeId id, const LockOwner& owner) {
  Tally::Change(*this, id, [&](Inode& inode) {
    std::erase_if(inode.held, [&](const LockRequest& held) {
      return held.owner == owner && held.family == LockFamily::kRecord;
    });
    // What it locks from now on, through another descriptor, is no matter of the one that closes.
    std::erase_if(inode.users, [&](const auto& user) { return user.second == owner; });
  });
}

void LockTable::DropHandle(InodeId id, const LockHandle& handle) {
  Tally::Change(*this, id, [&](Inode& inode) {
    std::set<LockOwner> owners;
    std::erase_if(inode.users, [&](const auto& user) {
      if (user.first != handle) return false;
      owners.insert(user.second);
      return true;
    });
    std::erase_if(inode.held, [&](const LockRequest& held) { return owners.contains(held.owner); });
  });
}

void LockTable::DropMount(OriginId mount) {
  Answers answers;
  {
    std::lock_guard lock(mutex_);
    std::vector<InodeId> ids;
    for (auto& [id, inode] : inodes_) {
      ids.push_back(id);
      const Tally tally(*this, inode);
      std::erase_if(inode.held, [mount](const auto& held) { return held.owner.mount == mount; });
      std::erase_if(inode.users, [mount](const auto& user) { return user.first.mount == mount; });
      std::erase_if(inode.waiters,
                    [mount](const Waiter& one) { return one.request.owner.mount == mount; });
    }
    for (const InodeId id : ids) {
      {
        const Tally tally(*this, inodes_[id]);
        Wake(inodes_[id], answers);
      }
      EraseIfIdle(id);
    }
  }
  CallAll(answers);
}

std::size_t LockTable::held() const {
  std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [id, inode] : inodes_) count += inode.held.size();
  return count;
}

std::size_t LockTable::waiting() const {
  std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [id, inode] : inodes_) count += inode.waiters.size();
  return count;
}

}  // namespace amphora::fs
