// Which names were answered to the kernel in the last seconds, approximately: a name that was is
// always found, a name that was not is found only by a collision. Fixed size, lock-free,
// thread-safe. Needed in name invalidation mode "epoch" only (hazards 3.3).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "fs/types.h"
#include "meta/base/clock.h"

namespace amphora::mount {

class RecentNames {
 public:
  void Note(fs::InodeId parent, std::string_view name) {
    SlotOf(parent, name).store(Second(), std::memory_order_seq_cst);
  }
  bool WasNoted(fs::InodeId parent, std::string_view name) const {
    const std::uint32_t noted = SlotOf(parent, name).load(std::memory_order_seq_cst);
    return noted != 0 && Second() - noted <= kSeconds;
  }

 private:
  static constexpr std::uint32_t kSeconds = 10;
  static constexpr std::size_t kSlots = 1 << 14;

  static std::uint32_t Second() {
    return static_cast<std::uint32_t>(MonotonicNow() / 1'000'000'000) + 1;
  }
  std::atomic<std::uint32_t>& SlotOf(fs::InodeId parent, std::string_view name) const {
    const std::size_t hash = std::hash<std::string_view>()(name) ^ std::hash<fs::InodeId>()(parent);
    return slots_[hash % kSlots];
  }

  mutable std::array<std::atomic<std::uint32_t>, kSlots> slots_{};
};

}  // namespace amphora::mount
