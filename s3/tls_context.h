// What a TlsContext holds: for tls.cc and stream.cc alone.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include "s3/tls.h"

namespace amphora::s3 {

class TlsContext {
 public:
  TlsContext() : context(boost::asio::ssl::context::tls_server) {}
  boost::asio::ssl::context context;
};

}  // namespace amphora::s3
