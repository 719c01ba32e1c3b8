// The ids that every answer carries (x-amz-request-id, x-amz-id-2) and every log line names. Unique
// in practice: a random start per thread. Thread-safe.
#pragma once

#include <array>
#include <string_view>

namespace amphora::s3 {

struct RequestId {
  std::array<char, 16> id = {};
  std::array<char, 32> host = {};
  std::string_view view() const { return {id.data(), id.size()}; }
  std::string_view host_view() const { return {host.data(), host.size()}; }
};

RequestId NextRequestId();

}  // namespace amphora::s3
