#include "s3/auth/key_cache.h"

#include <openssl/crypto.h>

#include "s3/auth/hash.h"

namespace amphora::s3 {

SigningKey DeriveSigningKey(std::string_view secret, const auth::Credential& credential) {
  std::string start("AWS4");
  start.append(secret);
  auth::Hash256 key = auth::HmacSha256(auth::AsBytes(start), credential.day);
  OPENSSL_cleanse(start.data(), start.size());
  key = auth::HmacSha256(key, credential.region);
  key = auth::HmacSha256(key, credential.service);
  return auth::HmacSha256(key, auth::kTerminator);
}

SigningKey SigV4Verifier::KeyCache::Get(std::string_view secret,
                                        const auth::Credential& credential) {
  std::string name;
  name.reserve(128);
  // A day has eight digits and a region no '/', so that two triples never share a name.
  name.append(credential.day).append(credential.region).append("/").append(secret);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->key;
    }
  }
  const SigningKey key = DeriveSigningKey(secret, credential);
  const std::lock_guard lock(mutex_);
  if (by_name_.contains(name)) return key;  // another thread was quicker
  if (entries_.size() == kCapacity) {
    by_name_.erase(entries_.back().name);
    entries_.pop_back();
  }
  entries_.push_front({std::move(name), key});
  by_name_.emplace(entries_.front().name, entries_.begin());
  return key;
}

}  // namespace amphora::s3
