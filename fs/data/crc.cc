#include "fs/data/crc.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

namespace amphora::fs {
namespace {

static_assert(std::endian::native == std::endian::little, "the word loads below are little-endian");

// table[k][b]: the register after byte b and k zero bytes. Eight such tables take a 64-bit word in
// one step with eight independent loads ("slicing by 8").
template <typename Register>
using Tables = std::array<std::array<Register, 256>, 8>;

template <typename Register>
consteval Tables<Register> MakeTables(Register reflected_polynomial) {
  Tables<Register> tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    Register value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? reflected_polynomial : 0);
    }
    tables[0][byte] = value;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const Register before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr std::uint32_t kPolynomial32 = 0xedb88320u;
constexpr std::uint32_t kPolynomial32c = 0x82f63b78u;
constexpr std::uint64_t kPolynomial64 = 0x9a6c9329ac4bc9b5u;
constexpr Tables<std::uint32_t> kCrc32 = MakeTables<std::uint32_t>(kPolynomial32);
constexpr Tables<std::uint32_t> kCrc32c = MakeTables<std::uint32_t>(kPolynomial32c);
constexpr Tables<std::uint64_t> kCrc64Nvme = MakeTables<std::uint64_t>(kPolynomial64);

// Polynomials over GF(2) modulo the CRC's, reflected: the highest bit is the coefficient of x^0.
template <typename Register>
constexpr Register kOne = Register{1} << (8 * sizeof(Register) - 1);

template <typename Register>
constexpr Register Multiply(Register a, Register b, Register reflected_polynomial) {
  Register product = 0;
  for (Register bit = kOne<Register>; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? reflected_polynomial : 0);
  }
  return product;
}

// The first run's register, moved over as many zero bytes as the second has; initial value and
// final XOR cancel out.
template <typename Register>
Register Combine(Register first, Register second, std::uint64_t second_bytes,
                 Register reflected_polynomial) {
  Register shift = kOne<Register>;
  Register power = kOne<Register> >> 8;  // x^8: one byte
  for (; second_bytes != 0; second_bytes >>= 1) {
    if ((second_bytes & 1) != 0) shift = Multiply(shift, power, reflected_polynomial);
    power = Multiply(power, power, reflected_polynomial);
  }
  return Multiply(shift, first, reflected_polynomial) ^ second;
}

std::uint64_t LoadWord(const std::byte* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

// x^power.
template <typename Register>
constexpr Register Power(std::uint64_t power, Register reflected_polynomial) {
  Register result = kOne<Register>;
  Register square = kOne<Register> >> 1;
  for (; power != 0; power >>= 1) {
    if ((power & 1) != 0) result = Multiply(result, square, reflected_polynomial);
    square = Multiply(square, square, reflected_polynomial);
  }
  return result;
}

// The bare register, without initial value and final XOR.
template <typename Register>
Register Feed(const Tables<Register>& tables, Register value, std::span<const std::byte> data) {
  while (data.size() >= 8) {
    const std::uint64_t word = LoadWord(data.data()) ^ value;
    value = 0;
    for (unsigned k = 0; k < 8; ++k) value ^= tables[7 - k][word >> (8 * k) & 0xff];
    data = data.subspan(8);
  }
  for (const std::byte byte : data) {
    value = (value >> 8) ^ tables[0][(value ^ static_cast<Register>(byte)) & 0xff];
  }
  return value;
}

template <typename Register>
Register Run(const Tables<Register>& tables, Register crc, std::span<const std::byte> data) {
  return ~Feed(tables, static_cast<Register>(~crc), data);
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t Crc32cByInstruction(
    std::uint32_t crc, std::span<const std::byte> data) {
  std::uint64_t value = static_cast<std::uint32_t>(~crc);
  while (data.size() >= 8) {
    value = _mm_crc32_u64(value, LoadWord(data.data()));
    data = data.subspan(8);
  }
  auto tail = static_cast<std::uint32_t>(value);
  for (const std::byte byte : data) tail = _mm_crc32_u8(tail, static_cast<unsigned char>(byte));
  return ~tail;
}

// Sixteen bytes moved `distance` bits up: the product of each half with a power of x, one less than
// its place asks for, since a carry-less product of reflected halves is one bit short.
struct Fold {
  std::uint64_t first_half = 0;
  std::uint64_t second_half = 0;
};
consteval Fold MakeFold(unsigned distance) {
  return {Power<std::uint64_t>(distance + 63, kPolynomial64),
          Power<std::uint64_t>(distance - 1, kPolynomial64)};
}

constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kBlocksAbreast = 4;

__attribute__((target("pclmul,sse2"))) __m128i Load(std::span<const std::byte> data,
                                                    std::size_t block) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data.data() + block * kBlockBytes));
}

__attribute__((target("pclmul,sse2"))) __m128i MoveUp(__m128i block, __m128i by) {
  return _mm_xor_si128(_mm_clmulepi64_si128(block, by, 0x00),
                       _mm_clmulepi64_si128(block, by, 0x11));
}

// Four blocks abreast by carry-less multiplication, then one; what they come to goes through the
// tables, as does the tail. At least four blocks of data.
__attribute__((target("pclmul,sse2"))) std::uint64_t Crc64NvmeByMultiplication(
    std::uint64_t crc, std::span<const std::byte> data) {
  static constexpr Fold kAbreast = MakeFold(8 * kBlockBytes * kBlocksAbreast);
  static constexpr Fold kNext = MakeFold(8 * kBlockBytes);
  const __m128i by_four = _mm_set_epi64x(static_cast<long long>(kAbreast.second_half),
                                         static_cast<long long>(kAbreast.first_half));
  const __m128i by_one = _mm_set_epi64x(static_cast<long long>(kNext.second_half),
                                        static_cast<long long>(kNext.first_half));
  __m128i blocks[kBlocksAbreast];
  for (std::size_t i = 0; i < kBlocksAbreast; ++i) blocks[i] = Load(data, i);
  blocks[0] = _mm_xor_si128(blocks[0], _mm_set_epi64x(0, static_cast<long long>(~crc)));
  data = data.subspan(kBlocksAbreast * kBlockBytes);
  for (; data.size() >= kBlocksAbreast * kBlockBytes;
       data = data.subspan(kBlocksAbreast * kBlockBytes)) {
    for (std::size_t i = 0; i < kBlocksAbreast; ++i) {
      blocks[i] = _mm_xor_si128(MoveUp(blocks[i], by_four), Load(data, i));
    }
  }
  __m128i sum = blocks[0];
  for (std::size_t i = 1; i < kBlocksAbreast; ++i) {
    sum = _mm_xor_si128(MoveUp(sum, by_one), blocks[i]);
  }
  for (; data.size() >= kBlockBytes; data = data.subspan(kBlockBytes)) {
    sum = _mm_xor_si128(MoveUp(sum, by_one), Load(data, 0));
  }
  std::array<std::byte, kBlockBytes> last;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(last.data()), sum);
  return ~Feed(kCrc64Nvme, Feed(kCrc64Nvme, std::uint64_t{0}, last), data);
}
#endif

}  // namespace

std::uint32_t Crc32(std::uint32_t crc, std::span<const std::byte> data) {
  return Run(kCrc32, crc, data);
}

std::uint32_t Crc32cByTables(std::uint32_t crc, std::span<const std::byte> data) {
  return Run(kCrc32c, crc, data);
}

std::uint32_t Crc32c(std::uint32_t crc, std::span<const std::byte> data) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return Crc32cByInstruction(crc, data);
#endif
  return Crc32cByTables(crc, data);
}

std::uint64_t Crc64NvmeByTables(std::uint64_t crc, std::span<const std::byte> data) {
  return Run(kCrc64Nvme, crc, data);
}

std::uint64_t Crc64Nvme(std::uint64_t crc, std::span<const std::byte> data) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("pclmul") != 0;
  if (has_instruction && data.size() >= kBlocksAbreast * kBlockBytes) {
    return Crc64NvmeByMultiplication(crc, data);
  }
#endif
  return Crc64NvmeByTables(crc, data);
}

std::uint32_t CombineCrc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) {
  return Combine(first, second, second_bytes, kPolynomial32);
}

std::uint32_t CombineCrc32c(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) {
  return Combine(first, second, second_bytes, kPolynomial32c);
}

std::uint64_t CombineCrc64Nvme(std::uint64_t first, std::uint64_t second,
                               std::uint64_t second_bytes) {
  return Combine(first, second, second_bytes, kPolynomial64);
}

}  // namespace amphora::fs
