// The certificate and key that the endpoint speaks TLS with. Thread-safe.
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <string>

namespace amphora::s3 {

// One loaded pair; connections that began with it keep it. OpenSSL's types stay in the .cc files.
class TlsContext;

// TLS 1.2 or newer, HTTP/1.1 by ALPN. The failure is a sentence that names the file.
std::expected<std::shared_ptr<TlsContext>, std::string> LoadTls(const std::string& certificate_file,
                                                                const std::string& key_file);

// What new connections use. Replaced while old ones go on.
class TlsKeeper {
 public:
  std::shared_ptr<TlsContext> Current() const { return current_.load(std::memory_order_acquire); }
  void Replace(std::shared_ptr<TlsContext> fresh) {
    current_.store(std::move(fresh), std::memory_order_release);
  }

 private:
  std::atomic<std::shared_ptr<TlsContext>> current_;
};

}  // namespace amphora::s3
