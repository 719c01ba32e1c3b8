// The CRCs of S3's additional checksums, 8 bytes at a time by tables; CRC-32C by the processor's
// own instruction and CRC-64/NVME, which every PUT pays for, by carry-less multiplication where it
// has these (found out at run time). All are reflected, with initial value and final XOR all ones.
// Thread-safe: pure functions.
//
// `crc` is the value so far (0 for no bytes); the answer is the value with `data` behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace amphora::fs {

std::uint32_t Crc32(std::uint32_t crc, std::span<const std::byte> data);   // IEEE 802.3
std::uint32_t Crc32c(std::uint32_t crc, std::span<const std::byte> data);  // Castagnoli (RFC 3720)
std::uint64_t Crc64Nvme(std::uint64_t crc,
                        std::span<const std::byte> data);  // NVM Express base spec

// The value of two runs of bytes behind each other, from theirs and the second's length in bytes.
std::uint32_t CombineCrc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);
std::uint32_t CombineCrc32c(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);
std::uint64_t CombineCrc64Nvme(std::uint64_t first, std::uint64_t second,
                               std::uint64_t second_bytes);

// Without the instructions: what processors that lack them run, and the test compares with.
std::uint32_t Crc32cByTables(std::uint32_t crc, std::span<const std::byte> data);
std::uint64_t Crc64NvmeByTables(std::uint64_t crc, std::span<const std::byte> data);

}  // namespace amphora::fs
