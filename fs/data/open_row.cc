#include "fs/data/open_row.h"

namespace amphora::fs {
namespace {

constexpr std::size_t kBytes = 8;

}  // namespace

std::string EncodeOpenRow(BlobId blob) {
  std::string bytes(kBytes, '\0');
  for (std::size_t i = 0; i < kBytes; ++i) {
    bytes[i] = static_cast<char>(blob.value() >> (8 * (kBytes - 1 - i)));
  }
  return bytes;
}

Result<BlobId> DecodeOpenRow(std::string_view bytes) {
  if (bytes.size() != kBytes) return Error(ErrorCode::kCorrupt, "open-for-write row");
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return BlobId(value);
}

}  // namespace amphora::fs
