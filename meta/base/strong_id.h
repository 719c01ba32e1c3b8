// Ids are types: an InodeId is no BlobId. Explicit in, .value() out, ordered, hashable.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace amphora {

template <typename Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  constexpr bool valid() const { return value_ != 0; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  std::uint64_t value_ = 0;
};

}  // namespace amphora

template <typename Tag>
struct std::hash<amphora::StrongId<Tag>> {
  std::size_t operator()(amphora::StrongId<Tag> id) const noexcept {
    return std::hash<std::uint64_t>()(id.value() * 0x9E3779B97F4A7C15ull);
  }
};
