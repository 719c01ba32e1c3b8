// Digests of test content in the words of S3. Thread-safe: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fs/data/digests.h"
#include "meta/base/encoding.h"

namespace amphora::test {

inline std::string RawDigest(fs::DigestKind kind, std::string_view text) {
  fs::DigestSet digests(std::span(&kind, 1));
  digests.Update(std::as_bytes(std::span(text)));
  return digests.Finish()[kind];
}

inline std::string Base64Digest(fs::DigestKind kind, std::string_view text) {
  return ToBase64(RawDigest(kind, text));
}

struct NamedChecksum {
  std::string algorithm;  // as x-amz-checksum-algorithm has it
  std::string header;
  std::string element;
  fs::DigestKind kind;
};

inline const std::vector<NamedChecksum>& AllChecksums() {
  static const std::vector<NamedChecksum> all = {
      {"CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", fs::DigestKind::kCrc32},
      {"CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", fs::DigestKind::kCrc32c},
      {"CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", fs::DigestKind::kCrc64Nvme},
      {"SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", fs::DigestKind::kSha1},
      {"SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", fs::DigestKind::kSha256}};
  return all;
}

}  // namespace amphora::test
