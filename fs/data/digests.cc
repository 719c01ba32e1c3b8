#include "fs/data/digests.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "fs/data/crc.h"
#include "meta/base/log.h"

namespace amphora::fs {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

// OpenSSL refuses a digest only when memory is out or when a policy (FIPS) forbids MD5. Neither can
// be carried on with: a store that can't make ETags must not pretend.
void Require(bool success) {
  if (success) return;
  Log(LogLevel::kError,
      "OpenSSL refuses a digest that S3 needs (MD5, SHA-1 or SHA-256); giving up");
  std::abort();
}

const EVP_MD* AlgorithmOf(DigestKind kind) {
  switch (kind) {
    case DigestKind::kMd5:
      return EVP_md5();
    case DigestKind::kSha1:
      return EVP_sha1();
    case DigestKind::kSha256:
      return EVP_sha256();
    case DigestKind::kCrc32:
    case DigestKind::kCrc32c:
    case DigestKind::kCrc64Nvme:
      return nullptr;
  }
  return nullptr;
}

std::string BigEndian(std::uint64_t value, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[size - 1 - i] = static_cast<char>(value >> (8 * i));
  return bytes;
}

std::uint64_t FromBigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// By DigestKind: the detail of kBadDigest says which one it was.
constexpr std::array<const char*, kDigestKinds> kDigestNames = {"md5",   "sha256", "sha1",
                                                                "crc32", "crc32c", "crc64nvme"};

std::size_t IndexOf(DigestKind kind) { return static_cast<std::size_t>(kind); }

}  // namespace

std::size_t DigestBytes(DigestKind kind) {
  switch (kind) {
    case DigestKind::kMd5:
      return 16;
    case DigestKind::kSha256:
      return 32;
    case DigestKind::kSha1:
      return 20;
    case DigestKind::kCrc32:
    case DigestKind::kCrc32c:
      return 4;
    case DigestKind::kCrc64Nvme:
      return 8;
  }
  return 0;
}

Status CheckDigests(const Digests& expected, const Digests& computed) {
  for (std::size_t i = 0; i < kDigestKinds; ++i) {
    const std::string& value = expected.values[i];
    if (!value.empty() && value != computed.values[i]) {
      return Error(ErrorCode::kBadDigest, kDigestNames[i]);
    }
  }
  return Ok();
}

std::string CombineCrcs(DigestKind kind, std::string_view first, std::string_view second,
                        std::uint64_t second_bytes) {
  const std::uint64_t a = FromBigEndian(first);
  const std::uint64_t b = FromBigEndian(second);
  switch (kind) {
    case DigestKind::kCrc32:
      return BigEndian(
          CombineCrc32(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b), second_bytes),
          4);
    case DigestKind::kCrc32c:
      return BigEndian(
          CombineCrc32c(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b), second_bytes),
          4);
    case DigestKind::kCrc64Nvme:
      return BigEndian(CombineCrc64Nvme(a, b, second_bytes), 8);
    case DigestKind::kMd5:
    case DigestKind::kSha1:
    case DigestKind::kSha256:
      break;
  }
  return {};
}

struct DigestSet::State {
  std::array<bool, kDigestKinds> wanted{};
  std::array<Context, kDigestKinds> contexts;  // of the kinds that OpenSSL computes
  std::uint32_t crc32 = 0;
  std::uint32_t crc32c = 0;
  std::uint64_t crc64nvme = 0;

  bool Wants(DigestKind kind) const { return wanted[IndexOf(kind)]; }

  void Start(DigestKind kind) {
    wanted[IndexOf(kind)] = true;
    const EVP_MD* algorithm = AlgorithmOf(kind);
    if (algorithm == nullptr) return;
    Context& context = contexts[IndexOf(kind)];
    if (context == nullptr) context.reset(EVP_MD_CTX_new());
    Require(context != nullptr && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1);
  }

  std::string Take(DigestKind kind) {
    std::string value(DigestBytes(kind), '\0');
    auto* out = reinterpret_cast<unsigned char*>(value.data());
    Require(EVP_DigestFinal_ex(contexts[IndexOf(kind)].get(), out, nullptr) == 1);
    Start(kind);
    return value;
  }
};

DigestSet::DigestSet(std::span<const DigestKind> kinds) : state_(std::make_unique<State>()) {
  for (const DigestKind kind : kinds) state_->Start(kind);
}
DigestSet::~DigestSet() = default;
DigestSet::DigestSet(DigestSet&&) noexcept = default;
DigestSet& DigestSet::operator=(DigestSet&&) noexcept = default;

void DigestSet::Update(std::span<const std::byte> data) {
  State& state = *state_;
  for (const Context& context : state.contexts) {
    if (context == nullptr) continue;
    Require(EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1);
  }
  if (state.Wants(DigestKind::kCrc32)) state.crc32 = Crc32(state.crc32, data);
  if (state.Wants(DigestKind::kCrc32c)) state.crc32c = Crc32c(state.crc32c, data);
  if (state.Wants(DigestKind::kCrc64Nvme)) state.crc64nvme = Crc64Nvme(state.crc64nvme, data);
}

Digests DigestSet::Finish() {
  State& state = *state_;
  Digests result;
  for (const DigestKind kind : {DigestKind::kMd5, DigestKind::kSha1, DigestKind::kSha256}) {
    if (state.Wants(kind)) result[kind] = state.Take(kind);
  }
  if (state.Wants(DigestKind::kCrc32)) {
    result[DigestKind::kCrc32] = BigEndian(std::exchange(state.crc32, 0), 4);
  }
  if (state.Wants(DigestKind::kCrc32c)) {
    result[DigestKind::kCrc32c] = BigEndian(std::exchange(state.crc32c, 0), 4);
  }
  if (state.Wants(DigestKind::kCrc64Nvme)) {
    result[DigestKind::kCrc64Nvme] = BigEndian(std::exchange(state.crc64nvme, 0), 8);
  }
  return result;
}

}  // namespace amphora::fs
