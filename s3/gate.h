// Who may come in at all: keeps web pages away from a store that asks for no key, and checks the
// signature of one that does. Thread-safe.
#pragma once

#include <string_view>

#include "s3/error.h"
#include "s3/request.h"
#include "s3/service.h"

namespace amphora::s3 {

// Open mode: refuses a Host that is neither an address, localhost nor a configured domain (a web
// page whose name was rebound to 127.0.0.1), and writes that a browser says come from another site.
// (Fetch Metadata Request Headers, W3C)
Outcome<void> CheckBrowser(const Request& request, const ServerOptions& options);

// Open mode: anybody, as the default owner. Keys mode: who signed the request.
Outcome<Identity> Identify(const Service& service, const Request& request);

}  // namespace amphora::s3
