// The digests of a run of bytes, computed as the bytes pass: any subset of fs::DigestKind at once.
// MD5, SHA-1 and SHA-256 by OpenSSL; CRC-32, CRC-32C and CRC-64/NVME by tables (CRC-32C by the
// processor's instruction where it has one). One thread at a time; different sets are independent.
//
//   DigestSet digests({{DigestKind::kMd5, DigestKind::kCrc32c}});
//   digests.Update(chunk);
//   Digests result = digests.Finish();
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "fs/objects.h"

namespace amphora::fs {

// Bytes of a finished digest: 16 (MD5), 32 (SHA-256), 20 (SHA-1), 4 (CRC-32, CRC-32C), 8
// (CRC-64/NVME).
std::size_t DigestBytes(DigestKind kind);

// kBadDigest, whose detail names the kind ("md5", "sha256", …), when one that is expected is
// another.
Status CheckDigests(const Digests& expected, const Digests& computed);

// The CRC of two runs of bytes behind each other from theirs; `second_bytes` is the length of the
// second. `kind` is one of the CRCs; values as DigestSet gives them.
std::string CombineCrcs(DigestKind kind, std::string_view first, std::string_view second,
                        std::uint64_t second_bytes);

class DigestSet {
 public:
  // Computes each kind named once or more. An empty set is legal and costs nothing.
  explicit DigestSet(std::span<const DigestKind> kinds);
  ~DigestSet();
  DigestSet(DigestSet&&) noexcept;
  DigestSet& operator=(DigestSet&&) noexcept;
  DigestSet(const DigestSet&) = delete;
  DigestSet& operator=(const DigestSet&) = delete;

  void Update(std::span<const std::byte> data);

  // The raw digests of all bytes so far, CRCs big-endian; kinds that were not asked for stay empty.
  // The set starts over.
  Digests Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace amphora::fs
