// The headers that describe an object: stored by PUT, shown by GET and HEAD. Thread-safe: pure
// functions.
#pragma once

#include "fs/objects.h"
#include "s3/error.h"
#include "s3/request.h"
#include "s3/response.h"

namespace amphora::s3 {

// Content-Type and its like, and x-amz-meta-*. The coding "aws-chunked" belongs to the transfer and
// is left out. kMetadataTooLarge beyond 2 KiB of user metadata. (S3: PutObject)
Outcome<fs::ObjectMetadata> ReadMetadata(const Request& request);

// Everything of `info` that an answer shows, but for its checksum; response-* parameters of a GET
// win. (S3: GetObject)
void AddObjectHeaders(Response& response, const Request& request, const fs::ObjectInfo& info);

std::string Quoted(std::string_view etag);

}  // namespace amphora::s3
