// The signing keys derived of late: four HMACs saved for every request of a client. Bounded, least
// recently used goes first. Thread-safe. Internal to s3/auth.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "s3/auth/credential.h"
#include "s3/auth/sigv4.h"

namespace amphora::s3 {

// (AWS: Create a signed AWS API request, "Calculate the signature")
SigningKey DeriveSigningKey(std::string_view secret, const auth::Credential& credential);

class SigV4Verifier::KeyCache {
 public:
  static constexpr std::size_t kCapacity = 256;

  // A revoked key stays here until it is pushed out, which does no harm: it is only asked for after
  // the look-up of the access key has answered with its secret.
  SigningKey Get(std::string_view secret, const auth::Credential& credential);

 private:
  struct Entry {
    std::string name;
    SigningKey key;
  };

  std::mutex mutex_;
  std::list<Entry> entries_;  // newest first; guarded by mutex_
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_name_;  // guarded by mutex_
};

}  // namespace amphora::s3
