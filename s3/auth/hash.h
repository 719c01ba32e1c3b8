// SHA-256 and HMAC-SHA256 for signatures. Raw 32-byte results. Thread-safe but for Sha256 objects.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace amphora::s3::auth {

using Hash256 = std::array<std::byte, 32>;

std::span<const std::byte> AsBytes(std::string_view text);
std::string ToHex(const Hash256& hash);

Hash256 Sha256Of(std::span<const std::byte> data);
Hash256 HmacSha256(std::span<const std::byte> key, std::string_view message);

// True when both are equal; takes the same time wherever they differ.
bool EqualInConstantTime(std::string_view a, std::string_view b);

// The hash of bytes as they come.
class RunningSha256 {
 public:
  RunningSha256();
  ~RunningSha256();
  RunningSha256(RunningSha256&&) noexcept;
  RunningSha256& operator=(RunningSha256&&) noexcept;
  void Update(std::span<const std::byte> data);
  Hash256 Finish();  // and starts over

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

}  // namespace amphora::s3::auth
