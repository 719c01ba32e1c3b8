#include "s3/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>

#include <string_view>

#include "s3/tls_context.h"

namespace amphora::s3 {
namespace {

// The newest reason of OpenSSL's queue, in its words; empties the queue.
std::string Reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(code);
  std::string reason = text != nullptr ? text : "can't be read";
  ERR_clear_error();
  return reason;
}

std::unexpected<std::string> Fault(const std::string& what, const std::string& file) {
  return std::unexpected(what + " " + file + ": " + Reason());
}

// A daemon can ask nobody for a passphrase: an encrypted key is an error, not a prompt.
int NoPassphrase(char*, int, int, void*) { return 0; }

// Clients that offer HTTP/2 first are told that HTTP/1.1 is spoken here.
int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_bytes,
                   const unsigned char* offered, unsigned offered_bytes, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_bytes, kHttp11, sizeof(kHttp11) - 1, offered,
                                          offered_bytes);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::expected<std::shared_ptr<TlsContext>, std::string> LoadTls(const std::string& certificate_file,
                                                                const std::string& key_file) {
  auto loaded = std::make_shared<TlsContext>();
  SSL_CTX* const context = loaded->context.native_handle();
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // An idle connection gives its record buffers back.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, ChooseProtocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, NoPassphrase);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return Fault("the TLS certificate", certificate_file);
  }
  const bool read = SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
  if (!read && !mismatch) return Fault("the TLS key", key_file);
  if (!read || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return std::unexpected("the TLS key " + key_file + " does not belong to the certificate " +
                           certificate_file);
  }
  return loaded;
}

}  // namespace amphora::s3
