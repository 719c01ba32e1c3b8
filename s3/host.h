// The host of an address, as it comes from outside. Thread-safe: a pure function.
#pragma once

#include <string_view>

namespace amphora::s3 {

// Whether `host`, perhaps with a port, has only characters of names and IP addresses (RFC 3986,
// section 3.2.2, without escapes), 259 bytes at most: what may stand in an address or a line that
// we make of it.
bool IsHost(std::string_view host);

}  // namespace amphora::s3
