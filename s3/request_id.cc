#include "s3/request_id.h"

#include <cstdint>
#include <random>
#include <span>

namespace amphora::s3 {
namespace {

// The finalizer of splitmix64: spreads a counter over all 64 bits.
std::uint64_t Mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15ull;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ull;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBull;
  return value ^ (value >> 31);
}

std::uint64_t RandomStart() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

void WriteHex(std::uint64_t value, std::span<char, 16> text) {
  for (char& digit : text) {
    digit = "0123456789ABCDEF"[value >> 60];
    value <<= 4;
  }
}

}  // namespace

RequestId NextRequestId() {
  thread_local std::uint64_t counter = RandomStart();
  static const std::uint64_t process = RandomStart();
  RequestId made;
  const std::uint64_t id = Mix(++counter);
  WriteHex(id, made.id);
  WriteHex(process, std::span(made.host).first<16>());
  WriteHex(Mix(id ^ process), std::span(made.host).last<16>());
  return made;
}

}  // namespace amphora::s3
