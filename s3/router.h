// From a request to its operation, by routes.def. Thread-safe: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "s3/body.h"
#include "s3/error.h"
#include "s3/request.h"
#include "s3/response.h"
#include "s3/service.h"
#include "s3/task.h"

namespace amphora::s3 {

// What one operation works with; lives in the session until the operation has answered.
struct Call {
  Service& service;
  const Request& request;
  Body& body;
  const Identity& identity;

  fs::Caller caller() const {
    return {.uid = identity.uid, .gid = identity.gid, .origin = fs::OriginId()};
  }
};

using Operation = Task<Outcome<Response>> (*)(Call& call);

// kNotImplemented for everything of S3 that is not built (and, on a write, for every query name
// that means nothing here: what it asks for would silently not happen); kMethodNotAllowed.
Outcome<Operation> Route(const Request& request);

// Every operation that is built, by name; stable while the program runs.
std::span<const std::string_view> OperationNames();
// Its place in OperationNames().
std::size_t IndexOf(Operation operation);

// The names of S3_SUBRESOURCE, for tests.
std::span<const std::string_view> Subresources();

}  // namespace amphora::s3
