#include "s3/auth/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

#include "meta/base/encoding.h"
#include "meta/base/log.h"

namespace amphora::s3::auth {
namespace {

// SHA-256 fails only when memory is out. A signature check must never go on with a half-made hash.
void Require(bool success) {
  if (success) return;
  Log(LogLevel::kError, "OpenSSL can't compute SHA-256; giving up");
  std::abort();
}

unsigned char* Out(Hash256& hash) { return reinterpret_cast<unsigned char*>(hash.data()); }

EVP_MD_CTX* ContextOf(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string ToHex(const Hash256& hash) {
  return amphora::ToHex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

Hash256 Sha256Of(std::span<const std::byte> data) {
  Hash256 hash;
  Require(EVP_Digest(data.data(), data.size(), Out(hash), nullptr, EVP_sha256(), nullptr) == 1);
  return hash;
}

Hash256 HmacSha256(std::span<const std::byte> key, std::string_view message) {
  Hash256 hash;
  unsigned size = hash.size();
  const auto* text = reinterpret_cast<const unsigned char*>(message.data());
  Require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text, message.size(),
               Out(hash), &size) != nullptr);
  return hash;
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void RunningSha256::Free::operator()(void* context) const { EVP_MD_CTX_free(ContextOf(context)); }

RunningSha256::RunningSha256() : context_(EVP_MD_CTX_new()) {
  Require(context_ != nullptr &&
          EVP_DigestInit_ex(ContextOf(context_.get()), EVP_sha256(), nullptr) == 1);
}
RunningSha256::~RunningSha256() = default;
RunningSha256::RunningSha256(RunningSha256&&) noexcept = default;
RunningSha256& RunningSha256::operator=(RunningSha256&&) noexcept = default;

void RunningSha256::Update(std::span<const std::byte> data) {
  Require(EVP_DigestUpdate(ContextOf(context_.get()), data.data(), data.size()) == 1);
}

Hash256 RunningSha256::Finish() {
  Hash256 hash;
  EVP_MD_CTX* context = ContextOf(context_.get());
  Require(EVP_DigestFinal_ex(context, Out(hash), nullptr) == 1 &&
          EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
  return hash;
}

}  // namespace amphora::s3::auth
